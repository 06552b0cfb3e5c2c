//! What can stand in the place of a placeholder.

use super::Text;
use std::borrow::Cow;
use uuid::Uuid;

/// A value inside a sentence. Words and numbers stay as they are in every language; a [`Text`] is said in the reader's.
pub trait Argument {
    fn to_text(&self) -> Text;
}

impl Argument for Text {
    fn to_text(&self) -> Text {
        self.clone()
    }
}

impl<A: Argument> Argument for Vec<A> {
    fn to_text(&self) -> Text {
        Text::List(self.iter().map(Argument::to_text).collect())
    }
}

impl<A: Argument + ?Sized> Argument for &A {
    fn to_text(&self) -> Text {
        (**self).to_text()
    }
}

macro_rules! words {
    ($($kind:ty),+) => {
        $(impl Argument for $kind {
            fn to_text(&self) -> Text {
                Text::Verbatim(self.to_string())
            }
        })+
    };
}

words!(str, String, Cow<'_, str>, char, bool, Uuid);
words!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, isize, f32, f64);
