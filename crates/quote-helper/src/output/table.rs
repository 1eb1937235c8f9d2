//! Tables of plain text.

use std::fmt;

/// Writes rows with aligned columns. Unprintable characters of a cell, line feeds too, are escaped.
pub(crate) fn table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    rows: &[[String; N]],
) -> fmt::Result {
    let rows: Vec<[_; N]> =
        rows.iter().map(|row| row.each_ref().map(|cell| printable::line(cell))).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            line.push_str(&format!("{cell:width$}  "));
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}
