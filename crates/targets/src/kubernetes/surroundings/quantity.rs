//! Kubernetes' quantities (`250m`, `1Gi`, `2`) as numbers, to compare them. Pure.

/// Nothing for a text that is no quantity.
pub(in super::super) fn value(text: &str) -> Option<f64> {
    const BINARY: [(&str, i32); 6] = [("Ki", 1), ("Mi", 2), ("Gi", 3), ("Ti", 4), ("Pi", 5), ("Ei", 6)];
    const DECIMAL: [(&str, i32); 9] =
        [("n", -9), ("u", -6), ("m", -3), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
    let text = text.trim();
    let number = |digits: &str| digits.parse::<f64>().ok().filter(|number| number.is_finite());
    for (unit, power) in BINARY {
        if let Some(digits) = text.strip_suffix(unit) {
            return Some(number(digits)? * 1024_f64.powi(power));
        }
    }
    for (unit, power) in DECIMAL {
        if let Some(digits) = text.strip_suffix(unit) {
            return Some(number(digits)? * 10_f64.powi(power));
        }
    }
    number(text)
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn quantities_are_read() {
        let near = |text: &str, wanted: f64| assert!((value(text).unwrap() - wanted).abs() < 1e-9, "{text}");
        near("250m", 0.25);
        near("2", 2.0);
        near("1Gi", 1_073_741_824.0);
        near("500M", 5e8);
        near("1e3", 1000.0);
        near("0.5", 0.5);
        for text in ["", "x", "1Zi", "--1", "NaN", "inf"] {
            assert_eq!(value(text), None, "{text}");
        }
    }
}
