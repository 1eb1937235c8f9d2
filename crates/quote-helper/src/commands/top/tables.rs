//! The tables of requests and of callers.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, Row, Table as Grid, Widget};

use super::change::Count;
use super::latency::Latency;
use super::palette::Palette;
use super::view::{Caller, Request, SUCCESS};

/// Characters of an MRENCLAVE, of which the last one says that there are more.
const MRENCLAVE_LENGTH: usize = 13;
/// Rows of a table, in a terminal or in text, that are drawn at the most.
const MAX_ROWS: usize = 200;
/// What the column that gives way keeps.
const NARROWEST_WORDS: u16 = 20;
/// Between two columns.
const GAP: u16 = 2;

/// Rows below a head. The first columns are words, the others are numbers; one column of words
/// gives way where the table is too wide. Numbers have some room to change, so that the table does
/// not tremble.
pub(super) struct Table {
    head: Vec<&'static str>,
    words: usize,
    gives_way: usize,
    /// Columns that go where there is too little room, the first one first.
    goes: &'static [usize],
    narrowest_number: u16,
    rows: Vec<(Vec<String>, Style)>,
    head_style: Style,
}

/// Requests by operation and outcome.
pub(super) fn requests(requests: &[Request], palette: Palette) -> Table {
    let head = vec!["REQUEST", "RATE/s", "TOTAL", "P50", "P99", "LONGEST"];
    let rows = requests.iter().map(|request| {
        let Request { operation, outcome, count, latency } = request;
        let [p50, p99, longest] = match latency {
            Some(Latency { p50, p99, longest }) => [p50, p99, longest].map(ToString::to_string),
            None => Default::default(),
        };
        let name = shown(&format!("{operation} {outcome}"));
        let style = style(*count, outcome != SUCCESS, palette);
        (vec![name, rate(*count), count.total.to_string(), p50, p99, longest], style)
    });
    Table {
        head,
        words: 1,
        gives_way: 0,
        goes: &[5, 2, 3, 4],
        narrowest_number: 9,
        rows: rows.collect(),
        head_style: palette.head(),
    }
}

/// Who asks for quotes.
pub(super) fn callers(callers: &[Caller], palette: Palette) -> Table {
    let head = vec!["UID", "POD", "MRENCLAVE", "DEBUG", "RATE/s", "TOTAL", "FAILED"];
    let rows = callers.iter().map(|caller| {
        let Caller { uid, pod, mrenclave, debug, count, failed } = caller;
        let words =
            [shown(uid), shown(pod), shorten(&shown(mrenclave), MRENCLAVE_LENGTH), shown(debug)];
        let numbers = [rate(*count), count.total.to_string(), failed.to_string()];
        (words.into_iter().chain(numbers).collect(), style(*count, false, palette))
    });
    Table {
        head,
        words: 4,
        gives_way: 1,
        goes: &[3, 2, 5, 1, 6],
        narrowest_number: 6,
        rows: rows.collect(),
        head_style: palette.head(),
    }
}

impl Table {
    /// The lines that all of it takes.
    pub(super) fn height(&self) -> u16 {
        match self.rows.len().min(MAX_ROWS) {
            0 => 0,
            rows => rows.saturating_add(1).try_into().unwrap_or(u16::MAX),
        }
    }

    /// Draws as much of it as fits, and says how much does not.
    pub(super) fn render(&self, area: Rect, buffer: &mut Buffer) {
        // A head alone says nothing.
        if self.rows.is_empty() || area.height < 2 {
            return;
        }
        let room = usize::from(area.height.saturating_sub(1));
        let hidden = match self.rows.len().saturating_sub(room) {
            0 => 0,
            hidden => hidden.saturating_add(1),
        };
        let shown = self.rows.len().saturating_sub(hidden);
        let widths = self.widths(area.width);
        let rows = self.rows.iter().take(shown);
        let rows = rows.map(|(cells, style)| self.row(cells, &widths).style(*style));
        let head = self.row(&self.head, &widths).style(self.head_style);
        let columns = widths.iter().map(|(_, width)| Constraint::Length(*width));
        Grid::new(rows, columns).header(head).column_spacing(GAP).render(area, buffer);
        if hidden > 0 && room > 0 {
            let last = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
            Span::raw(format!("… and {hidden} more")).render(last, buffer);
        }
    }

    fn row(&self, cells: &[impl AsRef<str>], widths: &[(usize, u16)]) -> Row<'static> {
        Row::new(widths.iter().filter_map(|(column, width)| {
            let line = Line::from(shorten(cells.get(*column)?.as_ref(), usize::from(*width)));
            Some(Cell::from(if *column < self.words { line } else { line.right_aligned() }))
        }))
    }

    /// The columns that there is room for, each with its width: as wide as it must be, but for the
    /// one that gives way. Numbers lose their room to change before a column goes.
    fn widths(&self, columns: u16) -> Vec<(usize, u16)> {
        let mut widths = self.needed(self.narrowest_number);
        let wanted = widths.get(self.gives_way).map_or(0, |(_, width)| *width);
        self.give_way(&mut widths, wanted.min(NARROWEST_WORDS));
        if width_of(&widths) > columns {
            widths = self.needed(0);
            self.give_way(&mut widths, wanted.min(NARROWEST_WORDS));
        }
        let mut goes = self.goes.iter();
        while width_of(&widths) > columns
            && let Some(gone) = goes.next()
        {
            widths.retain(|(column, _)| column != gone);
        }
        let left = columns.saturating_sub(width_of(&widths));
        self.give_way(&mut widths, wanted.min(NARROWEST_WORDS.saturating_add(left)));
        widths
    }

    /// All columns with the width of what is in them; numbers have this many columns at the least.
    fn needed(&self, narrowest_number: u16) -> Vec<(usize, u16)> {
        let narrowest = |column| if column < self.words { 0 } else { narrowest_number };
        let heads = self.head.iter().enumerate();
        let mut widths: Vec<_> =
            heads.map(|(column, name)| (column, width(name).max(narrowest(column)))).collect();
        for (cells, _) in &self.rows {
            for ((_, widest), cell) in widths.iter_mut().zip(cells) {
                *widest = width(cell).max(*widest);
            }
        }
        widths
    }

    fn give_way(&self, widths: &mut [(usize, u16)], width: u16) {
        if let Some((_, giving_way)) =
            widths.iter_mut().find(|(column, _)| *column == self.gives_way)
        {
            *giving_way = width;
        }
    }
}

/// The width of columns with the gaps between them.
fn width_of(columns: &[(usize, u16)]) -> u16 {
    let with_gaps = columns.iter().map(|(_, width)| width.saturating_add(GAP));
    with_gaps.fold(0, u16::saturating_add).saturating_sub(GAP)
}

fn width(text: &str) -> u16 {
    Span::raw(text).width().try_into().unwrap_or(u16::MAX)
}

fn rate(count: Count) -> String {
    match count.per_second {
        None => "–".to_owned(),
        Some(rate @ 100.0..) => format!("{rate:.0}"),
        Some(rate) => format!("{rate:.1}"),
    }
}

/// What goes on stands out from what has been, and what fails from what does not.
fn style(count: Count, is_failure: bool, palette: Palette) -> Style {
    match count.new {
        Some(0) => palette.name(),
        Some(_) if is_failure => palette.warning(),
        _ => Style::new(),
    }
}

/// A label as a part of a line.
pub(super) fn shown(label: &str) -> String {
    printable::line(label).into_owned()
}

/// The text, or as much of it as fits in so many characters.
pub(super) fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length.saturating_sub(1)).chain(['…']).take(length).collect()
}
