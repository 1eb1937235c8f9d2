//! Styles, in colors or without them.

use ratatui::style::{Color, Modifier, Style};

#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    has_colors: bool,
}

impl Palette {
    /// In colors, unless NO_COLOR is set.
    pub(super) fn of_user() -> Self {
        Self { has_colors: std::env::var_os("NO_COLOR").is_none() }
    }

    pub(super) fn plain() -> Self {
        Self { has_colors: false }
    }

    pub(super) fn good(self) -> Style {
        self.color(Color::Green)
    }

    pub(super) fn warning(self) -> Style {
        self.color(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    pub(super) fn alarm(self) -> Style {
        self.color(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn name(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn head(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    fn color(self, color: Color) -> Style {
        if self.has_colors { Style::new().fg(color) } else { Style::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_weight_tells() {
        for style in [Palette::good, Palette::warning, Palette::alarm] {
            assert!(style(Palette { has_colors: true }).fg.is_some());
            assert_eq!(style(Palette::plain()).fg, None);
        }
        for style in [Palette::warning, Palette::alarm] {
            assert!(style(Palette::plain()).add_modifier.contains(Modifier::BOLD));
        }
    }
}
