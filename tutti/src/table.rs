//! Aligned tables of text.

use crate::screen::{Screen, Tone};

/// One field of a table.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A field in a tone.
    #[must_use]
    pub fn toned(tone: Tone, text: impl Into<String>) -> Cell {
        Cell { text: text.into(), tone }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<S: Into<String>> From<S> for Cell {
    fn from(text: S) -> Cell {
        Cell::toned(Tone::Plain, text)
    }
}

/// A table: a heading, rows, and which columns hold numbers.
#[derive(Clone, Debug)]
pub struct Table {
    heading: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
    numbers: Vec<usize>,
}

impl Table {
    /// An empty table with these columns.
    #[must_use]
    pub fn new(columns: &[&str]) -> Table {
        let heading = columns.iter().map(|name| Cell::toned(Tone::Faint, *name)).collect();
        Table { heading, rows: vec![], numbers: vec![] }
    }

    /// Sets these columns, counted from 0, flush right.
    #[must_use]
    pub fn numbers(mut self, columns: &[usize]) -> Table {
        self.numbers = columns.to_vec();
        self
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table as lines, without a trailing line break.
    #[must_use]
    pub fn render(&self, screen: &Screen) -> String {
        let all = || std::iter::once(&self.heading).chain(&self.rows);
        let widths: Vec<usize> = (0..self.heading.len())
            .map(|column| all().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0))
            .collect();
        all().map(|row| self.line(row, &widths, screen)).collect::<Vec<_>>().join("\n")
    }

    fn line(&self, row: &[Cell], widths: &[usize], screen: &Screen) -> String {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths.get(column).copied().unwrap_or(0).saturating_sub(cell.width()));
            let text = screen.paint(cell.tone, &cell.text);
            line += &if self.numbers.contains(&column) { format!("{gap}{text}  ") } else { format!("{text}{gap}  ") };
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_field() {
        let mut table = Table::new(&["sku", "available"]).numbers(&[1]);
        table.row(vec!["TEA-001".into(), "7".into()]);
        table.row(vec!["MUG".into(), Cell::toned(Tone::Bad, "1200")]);
        assert_eq!(table.render(&Screen::plain()), "sku      available\nTEA-001          7\nMUG           1200");
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let mut table = Table::new(&["a", "b"]);
        table.row(vec![Cell::toned(Tone::Good, "ok"), "x".into()]);
        let coloured = table.render(&Screen { colour: true, ..Screen::plain() });
        assert!(coloured.contains("\x1b[32mok\x1b[0m  x"), "{coloured:?}");
    }
}
