//! The kinds of rules. Each is `None` if the policy requires nothing.

use std::fmt::Display;

use crate::Attested;

/// A rule of the policy; an error is the reason of the refusal.
pub(super) type Rule<'a> = Box<dyn Fn(&Attested) -> Result<(), String> + 'a>;

/// Requires one of these values.
pub(super) fn required<'a, T: PartialEq + Display>(
    name: &'static str,
    expected: &'a [T],
    actual: impl Fn(&Attested) -> Result<T, String> + 'a,
) -> Option<Rule<'a>> {
    accepted(name, expected, actual, T::eq)
}

/// Requires a value that one of the expected ones accepts.
pub(super) fn accepted<'a, E: Display, T: Display>(
    name: &'static str,
    expected: &'a [E],
    actual: impl Fn(&Attested) -> Result<T, String> + 'a,
    accepts: impl Fn(&E, &T) -> bool + 'a,
) -> Option<Rule<'a>> {
    let rule = move |attested: &Attested| {
        let actual = actual(attested)?;
        if expected.iter().any(|expected| accepts(expected, &actual)) {
            return Ok(());
        }
        let values: Vec<String> = expected.iter().map(ToString::to_string).collect();
        let one_of = if expected.len() > 1 { "one of " } else { "" };
        Err(format!("{name} is {actual}; expected: {one_of}{}", values.join(", ")))
    };
    (!expected.is_empty()).then(|| Box::new(rule) as Rule<'a>)
}

/// Requires at least this value.
pub(super) fn at_least<'a, T: PartialOrd + Display + 'a>(
    name: &'static str,
    minimum: Option<T>,
    actual: impl Fn(&Attested) -> Result<T, String> + 'a,
) -> Option<Rule<'a>> {
    reaching(name, minimum, actual, T::ge)
}

/// Requires a value that reaches the minimum.
pub(super) fn reaching<'a, T: Display + 'a>(
    name: &'static str,
    minimum: Option<T>,
    actual: impl Fn(&Attested) -> Result<T, String> + 'a,
    reaches: impl Fn(&T, &T) -> bool + 'a,
) -> Option<Rule<'a>> {
    let minimum = minimum?;
    Some(Box::new(move |attested| match actual(attested)? {
        actual if reaches(&actual, &minimum) => Ok(()),
        actual => Err(format!("{name} is {actual}; expected: at least {minimum}")),
    }))
}
