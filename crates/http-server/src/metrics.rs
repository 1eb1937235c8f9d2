//! `/metrics` in the format that the client accepts: OpenMetrics, or the text format of Prometheus.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::response::IntoResponse;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The response to `/metrics`: OpenMetrics 1.0 for clients that prefer it to plain text or rank
/// them equally; for all others, such as curl, version 0.0.4 of Prometheus' text format.
#[must_use]
pub fn metrics(request: &HeaderMap, registry: &Registry) -> impl IntoResponse + use<> {
    let mut encoded = String::new();
    // Writing into a string does not fail.
    let _ = text::encode(&mut encoded, registry);
    let (format, body) = match wants_open_metrics(request) {
        true => (OPEN_METRICS, encoded),
        false => (PROMETHEUS, prometheus_text(&encoded)),
    };
    ([(CONTENT_TYPE, format), (VARY, ACCEPT.as_str())], body)
}

/// True if one of the media ranges asks for OpenMetrics, with a quality that no range of plain text
/// exceeds. Parameters other than `version` and `q`, such as `escaping`, change nothing: all names
/// here are good in every scheme.
fn wants_open_metrics(request: &HeaderMap) -> bool {
    let (mut open_metrics, mut plain) = (0.0, 0.0);
    let values = request.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (mut quality, mut version) = (1.0, None);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim().to_ascii_lowercase().as_str() {
                "q" => quality = value.trim().parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0),
                "version" => version = Some(value.trim().trim_matches('"')),
                _ => {}
            }
        }
        match (media_type.as_str(), version) {
            ("application/openmetrics-text", None | Some("1.0.0" | "0.0.1")) => {
                open_metrics = quality.max(open_metrics);
            }
            ("text/plain", None | Some("0.0.4")) => plain = quality.max(plain),
            _ => {}
        }
    }
    open_metrics > 0.0 && open_metrics >= plain
}

/// OpenMetrics as our registries write it, in version 0.0.4 of Prometheus' text format: a family
/// has the name of its samples, there are no units, and nothing marks the end.
fn prometheus_text(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = "";
    for line in open_metrics.lines().filter(|line| !line.starts_with("# UNIT ")) {
        if let Some(described) = line.strip_prefix("# HELP ") {
            help = described.split_once(' ').map_or("", |(_, words)| words);
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|typed| typed.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                "stateset" => ("", "gauge"),
                "unknown" => ("", "untyped"),
                other => ("", other),
            };
            text.extend(["# HELP ", name, suffix, " ", help, "\n"]);
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if line != "# EOF" {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn accepting(accept: &[&str]) -> HeaderMap {
        let value = |text: &&str| (ACCEPT, HeaderValue::from_str(text).unwrap());
        accept.iter().map(value).collect()
    }

    #[test]
    fn the_format_is_the_one_that_is_preferred() {
        // As Prometheus 3 asks, and as Prometheus 2 does.
        let three = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;\
             escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let two = "application/openmetrics-text; version=1.0.0,\
             application/openmetrics-text; version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, is_open) in [
            (&[three][..], true),
            (&[two], true),
            (&["application/openmetrics-text"], true),
            (&["Application/OpenMetrics-Text;Version=\"1.0.0\";charset=utf-8"], true),
            (&["text/plain", "application/openmetrics-text"], true),
            (&["text/plain;version=0.0.4, application/openmetrics-text;q=0.5"], false),
            (&["application/openmetrics-text;version=2.0.0"], false),
            (&["application/openmetrics-text;q=0"], false),
            (&["application/openmetrics-text;q=much"], false),
            (&["*/*"], false),
            (&["text/html"], false),
            (&[""], false),
            (&[";;=,,q=1"], false),
            (&[], false),
        ] {
            assert_eq!(wants_open_metrics(&accepting(accept)), is_open, "{accept:?}");
        }
    }

    #[test]
    fn prometheus_text_names_families_as_their_samples() {
        let open_metrics = "# HELP a_seconds Time of a.\n# TYPE a_seconds histogram\n\
             # UNIT a_seconds seconds\na_seconds_sum 1.5\na_seconds_count 2\n\
             a_seconds_bucket{le=\"+Inf\"} 2\n# HELP b What b is.\n# TYPE b counter\n\
             b_total{c=\"# EOF\"} 3\n# HELP d It.\n# TYPE d info\nd_info{e=\"f\"} 1\n\
             # HELP g Any.\n# TYPE g unknown\ng 4\n# EOF\n";
        let expected = "# HELP a_seconds Time of a.\n# TYPE a_seconds histogram\n\
             a_seconds_sum 1.5\na_seconds_count 2\n\
             a_seconds_bucket{le=\"+Inf\"} 2\n# HELP b_total What b is.\n# TYPE b_total counter\n\
             b_total{c=\"# EOF\"} 3\n# HELP d_info It.\n# TYPE d_info gauge\nd_info{e=\"f\"} 1\n\
             # HELP g Any.\n# TYPE g untyped\ng 4\n";
        assert_eq!(prometheus_text(open_metrics), expected);
    }
}
