//! French and English. Every text a page shows is a method of [`T`], so a missing translation does not compile, and texts
//! that no island uses are not linked into the browser client.

mod access;
mod adoption;
mod alerts;
mod catalog;
mod delivery;
mod deployments;
mod environments;
mod format;
mod freezes;
mod gates;
mod live;
mod notifications;
mod onboarding;
mod pages;
mod shell;
mod sign_in;
mod slo;
mod slo_forms;
mod words;

pub use format::iso;
pub use passerelle_contract::Locale;
use serde::{Deserialize, Serialize};

/// The texts in one language.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct T(pub Locale);

/// Declares texts: `name: "English", "French";`, with arguments `name(a, b): "... {a}", "... {b}";`, and with a number
/// that decides the form: `name[n]: "one" | "many", "un" | "plusieurs";` where `{n}` is written in the language's way.
macro_rules! messages {
    ($($name:ident $(($($arg:ident),+))? $([$n:ident])? : $en:literal $(| $en_many:literal)?, $fr:literal $(| $fr_many:literal)?;)*) => {
        impl $crate::i18n::T {
            $( $crate::i18n::messages!(@one $name $(($($arg),+))? $([$n])? , $en $(| $en_many)?, $fr $(| $fr_many)?); )*
        }
    };
    (@one $name:ident, $en:literal, $fr:literal) => {
        #[must_use]
        pub const fn $name(self) -> &'static str {
            match self.0 {
                $crate::i18n::Locale::En => $en,
                $crate::i18n::Locale::Fr => $fr,
            }
        }
    };
    (@one $name:ident ($($arg:ident),+), $en:literal, $fr:literal) => {
        #[must_use]
        pub fn $name(self, $($arg: impl std::fmt::Display),+) -> String {
            match self.0 {
                $crate::i18n::Locale::En => format!($en),
                $crate::i18n::Locale::Fr => format!($fr),
            }
        }
    };
    (@one $name:ident [$n:ident], $en:literal | $en_many:literal, $fr:literal | $fr_many:literal) => {
        #[must_use]
        pub fn $name(self, $n: u64) -> String {
            let one = self.is_one($n);
            let $n = self.number($n);
            match (self.0, one) {
                ($crate::i18n::Locale::En, true) => format!($en),
                ($crate::i18n::Locale::En, false) => format!($en_many),
                ($crate::i18n::Locale::Fr, true) => format!($fr),
                ($crate::i18n::Locale::Fr, false) => format!($fr_many),
            }
        }
    };
}
pub(crate) use messages;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_follow_the_language() {
        assert_eq!(T(Locale::En).n_services(0), "0 services");
        assert_eq!(T(Locale::En).n_services(1), "1 service");
        assert_eq!(T(Locale::Fr).n_services(0), "0 service");
        assert_eq!(T(Locale::Fr).n_services(12_345), "12\u{202f}345 services");
    }
}
