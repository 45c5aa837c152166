//! Lines of bounded length.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A whole line, without its end.
    Whole(Vec<u8>),
    /// The other end closed, perhaps in the middle of a line.
    End,
    /// More than the limit without an end of line.
    TooLong,
}

/// Reads lines and keeps what has arrived of the next one, so that a read that is dropped loses nothing.
pub(super) struct Lines<R> {
    reader: R,
    started: Vec<u8>,
    limit: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Lines of up to `limit` bytes.
    pub(super) const fn new(reader: R, limit: usize) -> Self {
        Self { reader, started: Vec::new(), limit }
    }

    /// The next line.
    pub(super) async fn next(&mut self) -> io::Result<Line> {
        // One byte more than a line may have: it is the end of the line, or it is too long.
        let room = (self.limit + 1).saturating_sub(self.started.len());
        let mut rest = (&mut self.reader).take(u64::try_from(room).unwrap_or(u64::MAX));
        rest.read_until(b'\n', &mut self.started).await?;
        if self.started.last() == Some(&b'\n') {
            self.started.pop();
            return Ok(Line::Whole(std::mem::take(&mut self.started)));
        }
        Ok(if self.started.len() > self.limit { Line::TooLong } else { Line::End })
    }

    /// Ends when the other end has closed; swallows whatever it still says.
    pub(super) async fn closed(&mut self) {
        loop {
            match self.reader.fill_buf().await {
                Ok([]) | Err(_) => return,
                Ok(bytes) => {
                    let length = bytes.len();
                    self.reader.consume(length);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(text: &str, expected: &[Line]) {
        let mut lines = Lines::new(text.as_bytes(), 5);
        for line in expected {
            assert_eq!(lines.next().await.unwrap(), *line, "{text:?}");
        }
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn lines_of_every_length() {
        check("", &[Line::End]).await;
        check("a\nbc\n", &[whole("a"), whole("bc"), Line::End]).await;
        check("12345\n", &[whole("12345"), Line::End]).await;
        check("123456\n", &[Line::TooLong]).await;
        check("\n12", &[whole(""), Line::End]).await;
    }
}
