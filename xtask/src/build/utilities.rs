//! The utility classes (Tailwind's names) and how they are made from the tokens of `style/`.

use std::collections::BTreeSet;

use encre_css::prelude::build_plugin::*;
use encre_css::{Config, Preflight, Scanner};

/// Colours that utilities may use; each is the custom property of the same name, so both themes come by themselves.
const COLORS: &[&str] = &[
    "bg",
    "panel",
    "raised",
    "hover",
    "line",
    "line-strong",
    "edge",
    "ink",
    "ink-2",
    "ink-3",
    "accent",
    "accent-ink",
    "accent-soft",
    "ok",
    "ok-bg",
    "warn",
    "warn-bg",
    "bad",
    "bad-bg",
    "run",
    "run-bg",
    "off",
    "off-bg",
    "prod",
    "prod-bg",
    "prod-ink",
];

/// encre-css has no `size-*`.
const SIZE: StaticPlugin = Plugin::Spacing(Spacing {
    namespace: "size",
    prop: MultipleProps(&["width", "height"]),
    has_full: Some(true),
    has_auto: Some(true),
    ..Spacing::default()
});

/// Whole classes that encre-css lacks.
const EXTRA: StaticPlugin = Plugin::ListProperties(ListProperties {
    props: map! {
        "rounded" => &["border-radius: var(--radius-s);"],
        "antialiased" => &["-webkit-font-smoothing: antialiased;"],
        "wrap-anywhere" => &["overflow-wrap: anywhere;"],
        "wrap-break-word" => &["overflow-wrap: break-word;"],
        "outline-none" => &["outline: 2px solid transparent;", "outline-offset: 2px;"],
    },
    ..ListProperties::default()
});

/// Rules for those of the classes that are utilities; the others are passed over.
pub fn generate(classes: &BTreeSet<String>) -> String {
    let mut config = Config::default();
    config.preflight = Preflight::new_none();
    config.theme.dark_mode = encre_css::config::DarkMode::new_class("[data-theme=dark]");
    for color in COLORS {
        config.theme.colors.add(*color, format!("var(--{color})"));
    }
    config.register_plugin(&SIZE);
    config.register_plugin(&EXTRA);
    config.scanner = Scanner::from_fn(|content| content.lines().collect());
    let source = classes.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    encre_css::generate([source.as_str()], &config)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(class: &str) -> String {
        generate(&BTreeSet::from([class.to_owned()]))
    }

    #[test]
    fn colours_are_the_tokens() {
        assert!(one("bg-accent-soft").contains("background-color: var(--accent-soft)"), "{}", one("bg-accent-soft"));
        assert!(one("dark:text-ink-2").contains("[data-theme=dark]"), "{}", one("dark:text-ink-2"));
    }

    #[test]
    fn missing_utilities_are_added() {
        let size = one("size-4");
        assert!(size.contains("width: 1rem") && size.contains("height: 1rem"), "{size}");
        assert!(one("rounded").contains("border-radius: var(--radius-s)"));
    }

    #[test]
    fn what_is_no_utility_makes_no_rule() {
        assert_eq!(one("flexx").trim(), "");
    }
}
