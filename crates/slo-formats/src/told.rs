//! What the arithmetic refuses, as sentences.

use passerelle_contract::{Text, text};
use passerelle_slo_math::{CalendarError, MAX_PLACES, ObjectiveError, ParseRatioError};

pub(crate) fn ratio(ParseRatioError(given): &ParseRatioError) -> Text {
    text!("'{text}' is not a decimal number such as 99.9", text = given)
}

pub(crate) fn objective(error: &ObjectiveError) -> Text {
    match error {
        ObjectiveError::NotADecimal(error) => ratio(error),
        ObjectiveError::NoBudget(given) => text!(
            "an objective of {percent} % leaves no budget: nothing could ever fail; give less than 100, for example 99.9",
            percent = given
        ),
        ObjectiveError::TooLow(given) => text!("an objective must be more than 0 %, and is {percent}", percent = given),
        ObjectiveError::TooPrecise(given) => {
            text!(
                "{percent} has more than {max} digits after the point of the percentage",
                percent = given,
                max = MAX_PLACES
            )
        }
    }
}

pub(crate) fn calendar(error: &CalendarError) -> Text {
    match error {
        CalendarError::Zone(zone) => {
            text!("'{zone}' is not a time zone of the IANA database, such as Europe/Paris", zone)
        }
        CalendarError::Start(start) => text!("'{start}' is not a date and time such as 2026-01-01 00:00:00", start),
        CalendarError::Count(count) => {
            text!("a calendar period must be 1 to 120 units long, and is {count}", count)
        }
    }
}
