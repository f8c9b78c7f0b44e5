//! What a copy says, line by line, with its name in front.

use std::io::Write;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// A longer line is cut into pieces, so that one without an end cannot fill the memory.
const LINE_MAX: usize = 64 * 1024;

/// Passes lines on until the other side ends.
pub(super) async fn pass_on(
    from: impl AsyncRead + Unpin,
    name: &str,
    mut to: impl FnMut() -> Box<dyn Write>,
) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        let ready = match from.fill_buf().await {
            Ok(ready) => ready,
            Err(error) => return tracing::warn!(name, %error, "cannot read what a server says"),
        };
        let ended = ready.is_empty();
        let end = ready.iter().position(|byte| *byte == b'\n');
        let taken = end.map_or(ready.len(), |end| end + 1).min(LINE_MAX - line.len());
        line.extend_from_slice(&ready[..taken]);
        from.consume(taken);
        if ended && line.is_empty() {
            return;
        }
        if ended || line.ends_with(b"\n") || line.len() >= LINE_MAX {
            if write(&mut *to(), name, line.trim_ascii_end()).is_err() {
                // Nobody reads us any more; the server may go on.
                tracing::debug!(name, "a line cannot be passed on");
            }
            line.clear();
        }
    }
}

/// In one write, so that lines of several copies do not mix.
fn write(to: &mut dyn Write, name: &str, line: &[u8]) -> std::io::Result<()> {
    to.write_all(&[name.as_bytes(), b" | ", line, b"\n"].concat())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    struct Kept(Rc<RefCell<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    async fn passed_on(text: &[u8]) -> Vec<u8> {
        let kept = Rc::new(RefCell::new(Vec::new()));
        pass_on(text, "1", || Box::new(Kept(kept.clone()))).await;
        kept.take()
    }

    #[tokio::test]
    async fn every_line_gets_the_name_even_the_last_without_an_end() {
        assert_eq!(passed_on(b"a\n\nb\r\nc").await, b"1 | a\n1 | \n1 | b\n1 | c\n");
        assert_eq!(passed_on(b"").await, b"");
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_cut_into_pieces() {
        let text = vec![b'x'; 2 * LINE_MAX + 1];
        let lines = passed_on(&text).await;
        assert_eq!(lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 3);
        assert_eq!(lines.iter().filter(|byte| **byte == b'x').count(), text.len());
    }
}
