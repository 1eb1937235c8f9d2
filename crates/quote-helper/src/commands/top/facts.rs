//! The facts above the tables.

use std::collections::BTreeMap;

use bytesize::ByteSize;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::change::Count;
use super::palette::Palette;
use super::tables::{printable_label, shorten};
use super::view::{Expiry, Service, ServiceState, View};

/// The gap between two facts in a line.
const GAP: &str = "   ";
/// The maximum number of counts in a fact: more than any version has.
const MAX_COUNTS: usize = 20;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// An expiry in less than this, in seconds, is a warning.
const SOON: i64 = 7 * 24 * 60 * 60;

/// The facts of a view as lines of at most this many columns.
pub(super) fn lines(view: &View, palette: Palette, columns: u16) -> Vec<Line<'static>> {
    let columns = usize::from(columns);
    let facts = Facts(palette);
    let place = [facts.fact("metrics of", &view.metrics), facts.fact("at", &view.time)];
    let mut lines = Vec::new();
    match &view.state {
        ServiceState::Away(reason) => {
            lines.push(Line::styled("NO ANSWER", palette.alarm()));
            lines.extend(wrap(reason, columns));
            lines.extend(flow(place.to_vec(), columns));
        }
        ServiceState::Service(service) => {
            lines.extend(flow(facts.state(service), columns));
            lines.extend(wrap(service.not_ready_because.as_deref().unwrap_or_default(), columns));
            lines.extend(flow(facts.tcb(service), columns));
            lines.extend(flow(facts.refusals(service), columns));
            lines.extend(flow(facts.work(service), columns));
            if service.requests.is_empty() {
                lines.push(Line::styled("no requests yet", palette.name()));
            }
            lines.extend(flow(facts.instance(service).into_iter().chain(place).collect(), columns));
        }
    }
    lines
}

/// Facts in as few lines as possible. A fact that is wider than a line is wrapped at words.
fn flow(facts: Vec<Line<'static>>, columns: usize) -> Vec<Line<'static>> {
    let mut lines: Vec<Line<'static>> = Vec::new();
    for fact in facts {
        let width =
            |line: &Line<'_>| line.width().saturating_add(GAP.len()).saturating_add(fact.width());
        match lines.last_mut().filter(|line| width(line) <= columns) {
            Some(line) => line.spans.extend([vec![Span::raw(GAP)], fact.spans].concat()),
            None => lines.extend(fold(fact, columns)),
        }
    }
    lines
}

/// The fact in lines of at most this many columns. A word that is wider is cut, with `…`.
fn fold(fact: Line<'static>, columns: usize) -> Vec<Line<'static>> {
    if fact.width() <= columns {
        return vec![fact];
    }
    let mut lines = vec![Line::default()];
    for span in &fact.spans {
        for word in span.content.split_inclusive(' ') {
            let width = lines.last().map_or(0, Line::width);
            if width > 0 && width.saturating_add(word.trim_end().chars().count()) > columns {
                lines.push(Line::default());
            }
            if let Some(line) = lines.last_mut() {
                line.push_span(Span::styled(shorten(word, columns), span.style));
            }
        }
    }
    lines
}

fn wrap(text: &str, columns: usize) -> Vec<Line<'static>> {
    if text.is_empty() {
        return Vec::new();
    }
    let text = printable::line(text);
    let lines = textwrap::wrap(&text, columns.max(1)).into_iter();
    lines.map(|line| Line::raw(line.into_owned())).collect()
}

/// Writes facts as lines of text.
struct Facts(Palette);

impl Facts {
    fn state(&self, service: &Service) -> Vec<Line<'static>> {
        let Self(palette) = self;
        let readiness = match service.ready {
            Some(true) => styled("READY", palette.good()),
            Some(false) => styled("NOT READY", palette.alarm()),
            None => styled("readiness unknown", palette.name()),
        };
        let platform = service.platform.as_ref().map(|platform| match service.insecure {
            true => styled("INSECURE software platform", palette.warning()),
            false => self.fact("platform", platform),
        });
        let restarted = styled("RESTARTED", palette.warning());
        let facts = [Some(readiness), service.restarted.then_some(restarted), platform];
        facts.into_iter().flatten().collect()
    }

    fn instance(&self, service: &Service) -> Vec<Line<'static>> {
        let version = service.version.as_ref().map(|version| self.fact("quote service", version));
        let up = service.up_seconds.map(|up| self.fact("up", &span(up.unsigned_abs())));
        version.into_iter().chain(up).collect()
    }

    fn work(&self, service: &Service) -> Vec<Line<'static>> {
        let gauge =
            |name, value: Option<u64>| value.map(|value| self.fact(name, &value.to_string()));
        let facts = [
            gauge("connections", service.connections),
            gauge("queued quotes", service.queued_quotes),
            gauge("workers ready", service.workers),
            self.counts("worker ends:", &service.worker_ends),
            self.counts("hand-overs:", &service.hand_overs),
            self.epc(service),
        ];
        facts.into_iter().flatten().collect()
    }

    fn refusals(&self, service: &Service) -> Vec<Line<'static>> {
        let count = |name, count: Option<Count>| {
            count.map(|count| Line::from_iter([self.name(name), self.count(count)]))
        };
        let facts = [
            self.counts("busy refusals:", &service.busy_refusals),
            count("policy refusals", service.policy_refusals),
            count("unanswered requests", service.unanswered_requests),
        ];
        facts.into_iter().flatten().collect()
    }

    fn epc(&self, service: &Service) -> Option<Line<'static>> {
        let kinds = service.epc_bytes.iter();
        let kinds = kinds.map(|(kind, bytes)| {
            format!("{} {}", printable_label(kind), ByteSize(*bytes).display().iec())
        });
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        (!kinds.is_empty()).then(|| self.fact("EPC:", &kinds))
    }

    fn tcb(&self, service: &Service) -> Vec<Line<'static>> {
        let Self(palette) = self;
        let style = |status: &str| match status {
            "UpToDate" => palette.good(),
            _ => palette.warning(),
        };
        let status = |status: &String| {
            Line::from_iter([
                self.name("TCB"),
                Span::styled(printable_label(status), style(status)),
            ])
        };
        let facts = [
            service.tcb_status.as_ref().map(status),
            service.next_expiry.as_ref().map(|expiry| self.expiry(expiry)),
        ];
        facts.into_iter().flatten().collect()
    }

    fn expiry(&self, Expiry { what, seconds_left, .. }: &Expiry) -> Line<'static> {
        let Self(palette) = self;
        let (what, left) = (printable_label(what), span(seconds_left.unsigned_abs()));
        let (words, style) = match seconds_left {
            ..0 => (format!("{what} EXPIRED {left} ago"), palette.alarm()),
            0..SOON => (format!("{what} in {left}"), palette.warning()),
            _ => (format!("{what} in {left}"), Style::new()),
        };
        Line::from_iter([self.name("next expiry"), Span::styled(words, style)])
    }

    /// The counts by label; `None` if there are none.
    fn counts(
        &self,
        name: &'static str,
        counts: &BTreeMap<String, Count>,
    ) -> Option<Line<'static>> {
        let mut line = Line::from(self.name(name));
        for (index, (label, count)) in counts.iter().take(MAX_COUNTS).enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            line.push_span(format!("{comma}{} ", printable_label(label)));
            line.push_span(self.count(*count));
        }
        (!counts.is_empty()).then_some(line)
    }

    fn count(&self, Count { total, new, .. }: Count) -> Span<'static> {
        match new {
            None | Some(0) => Span::raw(total.to_string()),
            Some(new) => Span::styled(format!("{total} (+{new})"), self.0.warning()),
        }
    }

    fn fact(&self, name: &'static str, value: &str) -> Line<'static> {
        Line::from_iter([self.name(name), Span::raw(printable_label(value))])
    }

    fn name(&self, name: &'static str) -> Span<'static> {
        Span::styled(format!("{name} "), self.0.name())
    }
}

/// A fact whose style is in its span, where it survives the joining of lines.
fn styled(words: &'static str, style: Style) -> Line<'static> {
    Span::styled(words, style).into()
}

/// A duration in its two largest units.
fn span(seconds: u64) -> String {
    let part = |unit: u64, of: u64| seconds.checked_rem(of).and_then(|rest| rest.checked_div(unit));
    let [hours, minutes, rest] =
        [(HOUR, DAY), (MINUTE, HOUR), (1, MINUTE)].map(|(unit, of)| part(unit, of).unwrap_or(0));
    match seconds {
        DAY.. => format!("{} d {hours} h", part(DAY, u64::MAX).unwrap_or(0)),
        HOUR.. => format!("{hours} h {minutes} min"),
        MINUTE.. => format!("{minutes} min {rest} s"),
        _ => format!("{rest} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_two_units() {
        for (seconds, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (HOUR + 59 * MINUTE + 59, "1 h 59 min"),
            (DAY, "1 d 0 h"),
            (400 * DAY + 23 * HOUR, "400 d 23 h"),
        ] {
            assert_eq!(span(seconds), told);
        }
    }

    #[test]
    fn a_line_holds_as_many_facts_as_fit() {
        let facts = || ["one", "two", "three"].map(Line::raw).to_vec();
        let lines =
            |columns| flow(facts(), columns).iter().map(Line::to_string).collect::<Vec<_>>();
        assert_eq!(lines(17), ["one   two   three"]);
        assert_eq!(lines(16), ["one   two", "three"]);
        assert_eq!(lines(3), ["one", "two", "th…"]);
    }

    #[test]
    fn a_fact_that_is_too_wide_goes_on_in_the_next_line() {
        let fact = Line::from_iter([
            Span::raw("ends: "),
            Span::raw("died 2 (+1), "),
            Span::raw("hung 17"),
        ]);
        let folded = |columns| {
            let lines = flow(vec![fact.clone()], columns);
            lines.iter().map(|line| line.to_string().trim_end().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(folded(26), ["ends: died 2 (+1), hung 17"]);
        assert_eq!(folded(25), ["ends: died 2 (+1), hung", "17"]);
        assert_eq!(folded(12), ["ends: died 2", "(+1), hung", "17"]);
    }
}
