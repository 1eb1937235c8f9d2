//! The view that fills the terminal, redrawn with each scrape.

use std::pin::pin;
use std::time::Duration;

use anyhow::Context;
use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::DefaultTerminal;
use ratatui::layout::{Constraint, Layout};
use ratatui::text::Span;
use tokio_stream::StreamExt;

use super::palette::Palette;
use super::screen::Screen;
use super::view::View;
use super::watch::Watch;
use crate::shutdown::Shutdown;

/// Shows views until the user quits or a signal arrives.
pub(super) async fn show(mut watch: Watch, interval: Duration) -> anyhow::Result<()> {
    let shutdown = Shutdown::on_signals()?;
    let mut terminal = Terminal::take()?;
    let mut events = EventStream::new();
    let mut stopped = pin!(shutdown.begun());
    let mut view = None;
    let every = humantime::format_duration(interval).to_string();
    loop {
        let mut next = pin!(watch.next());
        loop {
            tokio::select! {
                new = &mut next => {
                    view = Some(new);
                    terminal.draw(view.as_ref(), &every)?;
                    break;
                }
                event = events.next() => match event.transpose().context("cannot read keys")? {
                    Some(Event::Resize(..)) => terminal.draw(view.as_ref(), &every)?,
                    Some(Event::Key(key)) if !quits(key) => {}
                    Some(Event::Key(_)) | None => return Ok(()),
                    Some(_) => {}
                },
                () = &mut stopped => return Ok(()),
            }
        }
    }
}

fn quits(key: KeyEvent) -> bool {
    let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
    let is_quit_key = match key.code {
        KeyCode::Char('q') | KeyCode::Esc => true,
        KeyCode::Char('c') => is_control,
        _ => false,
    };
    is_quit_key && key.kind == KeyEventKind::Press
}

/// The terminal, which is restored when this is dropped, and before a panic message.
struct Terminal(DefaultTerminal);

impl Terminal {
    fn take() -> anyhow::Result<Self> {
        // A failed initialization may have changed the terminal already.
        let terminal = ratatui::try_init().inspect_err(|_| drop(ratatui::try_restore()));
        terminal.map(Self).context("the terminal cannot be used")
    }

    fn draw(&mut self, view: Option<&View>, every: &str) -> anyhow::Result<()> {
        let palette = Palette::of_user();
        let drawn = self.0.draw(|frame| {
            let layout = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]);
            let [above, below] = layout.areas(frame.area());
            if let Some(view) = view {
                frame.render_widget(&Screen { view, palette }, above);
            }
            let keys = Span::styled(format!("q quits; refreshes every {every}"), palette.name());
            frame.render_widget(keys, below);
        });
        drawn.map(drop).context("cannot draw")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The panic hook has restored it already; again would overwrite the message.
        if !std::thread::panicking() {
            // A closed terminal needs no restoration.
            let _ = ratatui::try_restore();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_escape_and_control_c_quit() {
        let key = |code, modifiers| quits(KeyEvent::new(code, modifiers));
        assert!(key(KeyCode::Char('q'), KeyModifiers::NONE));
        assert!(key(KeyCode::Esc, KeyModifiers::NONE));
        assert!(key(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!key(KeyCode::Char('c'), KeyModifiers::NONE));
        assert!(!key(KeyCode::Enter, KeyModifiers::NONE));
        let release = KeyEventKind::Release;
        assert!(!quits(KeyEvent::new_with_kind(KeyCode::Esc, KeyModifiers::NONE, release)));
    }
}
