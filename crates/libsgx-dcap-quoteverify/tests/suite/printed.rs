//! The output of the program `verify`.

use std::collections::BTreeMap;
use std::process::Command;

use sgx::Quote3Error;
use test_support::succeeded;

const UNSPECIFIED: u32 = 0xa006;

/// The output of `verify.c`.
pub(crate) struct Printed(pub(crate) BTreeMap<String, String>);

impl Printed {
    pub(crate) fn by(command: &mut Command) -> Self {
        let lines = succeeded(command);
        let pair = |line: &str| {
            let (name, value) = line.split_once(' ').unwrap();
            (name.to_owned(), value.to_owned())
        };
        Self(lines.lines().map(pair).collect())
    }

    pub(crate) fn hexadecimal(&self, name: &str) -> u32 {
        u32::from_str_radix(&self.0[name], 16).unwrap()
    }

    pub(crate) fn error(&self) -> Quote3Error {
        Quote3Error(self.hexadecimal("error"))
    }

    pub(crate) fn result(&self) -> u32 {
        self.hexadecimal("result")
    }

    pub(crate) fn number(&self, name: &str) -> i64 {
        self.0[name].parse().unwrap()
    }

    /// Asserts a verification with this result.
    pub(crate) fn succeeds(&self, result: u32) {
        assert_eq!((self.error(), self.result()), (Quote3Error::SUCCESS, result));
        assert_eq!(self.hexadecimal("version"), 0x0005_0003);
    }

    /// Asserts a failure with this number, which leaves no result and no supplemental data.
    pub(crate) fn fails(&self, error: Quote3Error) {
        assert_eq!((self.error(), self.result()), (error, UNSPECIFIED), "{:?}", self.0);
        assert_eq!(self.number("expired"), 1);
        assert_eq!((self.hexadecimal("version"), self.number("earliest_issue_date")), (0, 0));
    }
}
