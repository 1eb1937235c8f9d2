//! `values.yaml` of the chart.

use textwrap::{Options, wrap};

use super::value::Value;

const WIDTH: usize = 100;

const HEAD: &str = "\
# The values of the chart: the options of `quote-helper install`, in camel case. Empty ones have the
# default that the description names. `just chart` writes this file; docs/helm.md explains it.
";

/// The file with these values, each after its description.
pub(super) fn text(values: &[Value]) -> String {
    values.iter().fold(HEAD.to_owned(), |text, value| {
        let comment = Options::new(WIDTH).initial_indent("# ").subsequent_indent("# ");
        let comment = wrap(&value.description, comment.break_words(false)).join("\n");
        format!("{text}\n{comment}\n{}: {}\n", value.name, value.default)
    })
}
