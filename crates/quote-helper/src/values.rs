//! Options with a few values, which help shows and shells complete.

use std::error::Error;
use std::ffi::OsStr;
use std::fmt::Display;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Arg, Command};

/// Parses by [`FromStr`], whose errors say more than a list of values does.
#[derive(Clone)]
pub(crate) struct OneOf<T> {
    names: Vec<String>,
    parsed: PhantomData<fn() -> T>,
}

impl<T> OneOf<T> {
    /// These are the values to show; the parser may know more.
    pub(crate) fn of(values: impl IntoIterator<Item: Display>) -> Self {
        let names = values.into_iter().map(|value| value.to_string());
        Self { names: names.collect(), parsed: PhantomData }
    }
}

impl<T> TypedValueParser for OneOf<T>
where
    T: FromStr<Err: Into<Box<dyn Error + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let parser = StringValueParser::new().try_map(|text| text.parse::<T>());
        parser.parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.names.iter().map(|name| PossibleValue::new(name))))
    }
}
