//! Draws a view: facts above, below them a table of requests and one of callers.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::text::{Line, Text};
use ratatui::widgets::Widget;

use super::facts;
use super::palette::Palette;
use super::tables::{self, Table};
use super::view::{ServiceState, View};

/// Lines of the table of requests, head included, that take precedence over the last facts.
const LEAST_REQUESTS: u16 = 3;
/// Lines of facts that take precedence over everything else.
const LEAST_FACTS: u16 = 2;

pub(super) struct Screen<'a> {
    pub(super) view: &'a View,
    pub(super) palette: Palette,
}

impl Screen<'_> {
    pub(super) fn text(&self, columns: u16) -> String {
        let columns = columns.max(1);
        let head = self.head(columns).len().try_into().unwrap_or(u16::MAX);
        let heights = self.tables().map(|table| table.height().saturating_add(1));
        let rows = heights.into_iter().fold(head, u16::saturating_add);
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        self.render(area, &mut buffer);
        let lines = buffer.content().chunks(columns.into());
        let lines = lines.map(|cells| cells.iter().map(Cell::symbol).collect::<String>());
        let text: String = lines.map(|line| format!("{}\n", line.trim_end())).collect();
        text.trim_end().to_owned()
    }

    fn head(&self, columns: u16) -> Vec<Line<'static>> {
        facts::lines(self.view, self.palette, columns)
    }

    fn tables(&self) -> [Table; 2] {
        let (requests, callers) = match &self.view.state {
            ServiceState::Service(service) => (&service.requests[..], &service.callers[..]),
            ServiceState::Away(_) => (&[][..], &[][..]),
        };
        [tables::requests(requests, self.palette), tables::callers(callers, self.palette)]
    }
}

impl Widget for &Screen<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let mut head = self.head(area.width);
        let [requests, callers] = self.tables();
        // On a low screen the first requests replace the last facts.
        let kept = requests.height().min(LEAST_REQUESTS).saturating_add(1);
        let room = area.height.saturating_sub(kept).max(area.height.min(LEAST_FACTS));
        head.truncate(room.into());
        let head_height = head.len().try_into().unwrap_or(u16::MAX);
        let room = area.height.saturating_sub(head_height).saturating_sub(1);
        // If there is too little room for both tables, callers get at most a third of it.
        let third = room.saturating_sub(1).checked_div(3).unwrap_or(0);
        let of_callers = match callers.height().min(third) {
            0 | 1 => 0,
            height => height.saturating_add(1),
        };
        let requests_height = room.saturating_sub(of_callers).min(requests.height());
        let below = |area: Rect, by: u16| {
            let by = by.min(area.height);
            Rect { y: area.y.saturating_add(by), height: area.height.saturating_sub(by), ..area }
        };
        Text::from(head).render(area, buffer);
        let area = below(area, head_height.saturating_add(1));
        requests.render(Rect { height: requests_height.min(area.height), ..area }, buffer);
        callers.render(below(area, requests_height.saturating_add(1)), buffer);
    }
}
