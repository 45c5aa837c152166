//! Rows of styled text, for a terminal with colours and for plain lines.

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As the terminal has it.
    Plain,
    /// In the background.
    Dim,
    /// A heading.
    Bold,
    /// A Join button that is on.
    Button,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

impl Style {
    /// The terminal's code (ECMA-48, SGR).
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "\x1b[2m",
            Self::Bold => "\x1b[1m",
            Self::Button => "\x1b[1;97;42m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[1;31m",
        }
    }
}

/// One line of styled pieces. Every character counts as one cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pieces: Vec<(String, Style)>,
}

impl Row {
    /// An empty row.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a piece.
    pub fn add(mut self, text: impl Into<String>, style: Style) -> Self {
        self.pieces.push((text.into(), style));
        self
    }

    /// Adds all of another row.
    pub fn then(mut self, other: Self) -> Self {
        self.pieces.extend(other.pieces);
        self
    }

    /// Cells that it takes.
    pub fn width(&self) -> usize {
        self.pieces.iter().map(|(text, _)| text.chars().count()).sum()
    }

    /// The same in exactly `width` cells: filled up with spaces, or cut with an ellipsis.
    pub fn fit(self, width: usize) -> Self {
        let have = self.width();
        if have <= width {
            return self.add(" ".repeat(width - have), Style::Plain);
        }
        let mut left = width.saturating_sub(1);
        let mut cut = Self::new();
        for (text, style) in self.pieces {
            let kept: String = text.chars().take(left).collect();
            left -= kept.chars().count();
            cut = cut.add(kept, style);
        }
        if width == 0 { cut } else { cut.add("…", Style::Dim) }
    }

    /// For a terminal.
    pub fn coloured(&self) -> String {
        let piece = |(text, style): &(String, Style)| match style.code() {
            "" => text.clone(),
            code => format!("{code}{text}\x1b[0m"),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// Without styles, and without spaces at the end.
    pub fn plain(&self) -> String {
        let all: String = self.pieces.iter().map(|(text, _)| text.as_str()).collect();
        all.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(width: usize, expected: &str) {
        let row = Row::new().add("Plän", Style::Bold).add(" at nine", Style::Plain).fit(width);
        assert_eq!((row.width(), row.plain().as_str()), (width, expected));
    }

    #[test]
    fn rows_fit() {
        check(14, "Plän at nine");
        check(12, "Plän at nine");
        check(6, "Plän …");
        check(4, "Plä…");
        check(1, "…");
        check(0, "");
    }

    #[test]
    fn styles_end_where_they_should() {
        let row = Row::new().add("a", Style::Plain).add("b", Style::Good);
        assert_eq!(row.coloured(), "a\u{1b}[32mb\u{1b}[0m");
        assert_eq!(row.plain(), "ab");
    }
}
