//! French and English. Every text a page shows is a method of [`T`], so a missing translation does not compile, and texts
//! that no island uses are not linked into the browser client.

mod access;
mod catalog;
mod deployments;
mod environments;
mod format;
pub use format::iso;
mod pages;
mod shell;
mod words;

use serde::{Deserialize, Serialize};

/// A language the pages speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Locale {
    #[default]
    En,
    Fr,
}

impl Locale {
    /// The tag of the `lang` attribute and of the cookie.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        match tag {
            "en" => Some(Self::En),
            "fr" => Some(Self::Fr),
            _ => None,
        }
    }

    /// The best of our languages for an `Accept-Language` header, by its weights; English when none fits.
    #[must_use]
    pub fn negotiate(header: &str) -> Self {
        let mut best = (0.0_f32, Self::En);
        for range in header.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0);
            let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
            if let Some(locale) = Self::parse(&primary)
                && weight > best.0
            {
                best = (weight, locale);
            }
        }
        best.1
    }
}

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
    fn accept_language_is_read_by_weight() {
        assert_eq!(Locale::negotiate("fr-FR,fr;q=0.9,en;q=0.8"), Locale::Fr);
        assert_eq!(Locale::negotiate("de, en;q=0.5, fr;q=0.7"), Locale::Fr);
        assert_eq!(Locale::negotiate("en-GB, fr;q=0.7"), Locale::En);
        assert_eq!(Locale::negotiate(""), Locale::En);
        assert_eq!(Locale::negotiate("fr;q=0"), Locale::En);
    }

    #[test]
    fn plurals_follow_the_language() {
        assert_eq!(T(Locale::En).n_services(0), "0 services");
        assert_eq!(T(Locale::En).n_services(1), "1 service");
        assert_eq!(T(Locale::Fr).n_services(0), "0 service");
        assert_eq!(T(Locale::Fr).n_services(12_345), "12\u{202f}345 services");
    }
}
