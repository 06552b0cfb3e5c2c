//! Common.

super::texts! {
    "must be one line" => "doit tenir sur une ligne";
}
