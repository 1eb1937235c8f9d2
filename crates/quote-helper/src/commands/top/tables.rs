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

/// Characters shown of an MRENCLAVE, with the `…` at the end.
const MRENCLAVE_LENGTH: usize = 13;
/// The maximum number of rows of a table.
const MAX_ROWS: usize = 200;
/// The width that the elastic column keeps.
const MIN_ELASTIC_WIDTH: u16 = 20;
/// The gap between two columns.
const GAP: u16 = 2;

/// A table. The first columns are text, the others numbers. If the table is too wide, one text
/// column shrinks. Columns of numbers have a minimum width, so that they rarely move.
pub(super) struct Table {
    head: Vec<&'static str>,
    text_columns: usize,
    elastic: usize,
    /// Columns that are dropped if there is too little room, in this order.
    dropped: &'static [usize],
    min_number_width: u16,
    rows: Vec<(Vec<String>, Style)>,
    head_style: Style,
}

pub(super) fn requests(requests: &[Request], palette: Palette) -> Table {
    let head = vec!["REQUEST", "RATE/s", "TOTAL", "P50", "P99", "LONGEST"];
    let rows = requests.iter().map(|request| {
        let Request { operation, outcome, count, latency } = request;
        let [p50, p99, longest] = match latency {
            Some(Latency { p50, p99, longest }) => [p50, p99, longest].map(ToString::to_string),
            None => Default::default(),
        };
        let name = printable_label(&format!("{operation} {outcome}"));
        let style = style(*count, outcome != SUCCESS, palette);
        (vec![name, rate(*count), count.total.to_string(), p50, p99, longest], style)
    });
    Table {
        head,
        text_columns: 1,
        elastic: 0,
        dropped: &[5, 2, 3, 4],
        min_number_width: 9,
        rows: rows.collect(),
        head_style: palette.head(),
    }
}

pub(super) fn callers(callers: &[Caller], palette: Palette) -> Table {
    let head = vec!["UID", "POD", "MRENCLAVE", "DEBUG", "RATE/s", "TOTAL", "FAILED"];
    let rows = callers.iter().map(|caller| {
        let Caller { uid, pod, mrenclave, debug, count, failed } = caller;
        let texts = [
            printable_label(uid),
            printable_label(pod),
            shorten(&printable_label(mrenclave), MRENCLAVE_LENGTH),
            printable_label(debug),
        ];
        let numbers = [rate(*count), count.total.to_string(), failed.to_string()];
        (texts.into_iter().chain(numbers).collect(), style(*count, false, palette))
    });
    Table {
        head,
        text_columns: 4,
        elastic: 1,
        dropped: &[3, 2, 5, 1, 6],
        min_number_width: 6,
        rows: rows.collect(),
        head_style: palette.head(),
    }
}

impl Table {
    /// The height of the whole table, in lines.
    pub(super) fn height(&self) -> u16 {
        match self.rows.len().min(MAX_ROWS) {
            0 => 0,
            rows => rows.saturating_add(1).try_into().unwrap_or(u16::MAX),
        }
    }

    /// Draws the rows that fit, and counts the others.
    pub(super) fn render(&self, area: Rect, buffer: &mut Buffer) {
        // A head alone is useless.
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
            Some(Cell::from(if *column < self.text_columns { line } else { line.right_aligned() }))
        }))
    }

    /// The columns that fit, each with its width. If the table is too wide, the elastic column
    /// shrinks first, then numbers lose their minimum width, then columns are dropped.
    fn widths(&self, columns: u16) -> Vec<(usize, u16)> {
        let mut widths = self.needed(self.min_number_width);
        let wanted = widths.get(self.elastic).map_or(0, |(_, width)| *width);
        self.set_elastic_width(&mut widths, wanted.min(MIN_ELASTIC_WIDTH));
        if width_of(&widths) > columns {
            widths = self.needed(0);
            self.set_elastic_width(&mut widths, wanted.min(MIN_ELASTIC_WIDTH));
        }
        let mut dropped = self.dropped.iter();
        while width_of(&widths) > columns
            && let Some(column_to_drop) = dropped.next()
        {
            widths.retain(|(column, _)| column != column_to_drop);
        }
        let left = columns.saturating_sub(width_of(&widths));
        self.set_elastic_width(&mut widths, wanted.min(MIN_ELASTIC_WIDTH.saturating_add(left)));
        widths
    }

    /// All columns with the width of their cells, numbers with this minimum width.
    fn needed(&self, min_number_width: u16) -> Vec<(usize, u16)> {
        let min_width = |column| if column < self.text_columns { 0 } else { min_number_width };
        let heads = self.head.iter().enumerate();
        let mut widths: Vec<_> =
            heads.map(|(column, name)| (column, width(name).max(min_width(column)))).collect();
        for (cells, _) in &self.rows {
            for ((_, widest), cell) in widths.iter_mut().zip(cells) {
                *widest = width(cell).max(*widest);
            }
        }
        widths
    }

    fn set_elastic_width(&self, widths: &mut [(usize, u16)], width: u16) {
        if let Some((_, elastic)) = widths.iter_mut().find(|(column, _)| *column == self.elastic) {
            *elastic = width;
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

/// Idle rows are dim, new failures stand out.
fn style(count: Count, is_failure: bool, palette: Palette) -> Style {
    match count.new {
        Some(0) => palette.name(),
        Some(_) if is_failure => palette.warning(),
        _ => Style::new(),
    }
}

pub(super) fn printable_label(label: &str) -> String {
    printable::line(label).into_owned()
}

pub(super) fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length.saturating_sub(1)).chain(['…']).take(length).collect()
}
