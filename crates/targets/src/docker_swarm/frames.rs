//! The engine's log format: frames of a stream number, three zero bytes, a length (big endian) and that many bytes; or plain
//! bytes when the container has a terminal.

/// The text of all frames; bytes that are no frames are taken as they are.
pub(super) fn text(body: &[u8]) -> String {
    let mut rest = body;
    let mut all = Vec::with_capacity(body.len());
    while let Some((frame, after)) = split(rest) {
        all.extend_from_slice(frame);
        rest = after;
    }
    all.extend_from_slice(rest);
    String::from_utf8_lossy(&all).into_owned()
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<8>()?;
    let [stream, 0, 0, 0, a, b, c, d] = *head else { return None };
    if stream > 3 {
        return None;
    }
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    // A body that was cut ends within a frame.
    Some(rest.split_at(length.min(rest.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_both_streams_are_joined() {
        let body = b"\x01\0\0\0\0\0\0\x04one\n\x02\0\0\0\0\0\0\x04two\n";
        assert_eq!(text(body), "one\ntwo\n");
    }

    #[test]
    fn plain_and_broken_bodies_are_kept() {
        assert_eq!(text(b"plain line\n"), "plain line\n");
        assert_eq!(text(b"\x01\0\0\0\xff\xff\xff\xffcut"), "cut");
        assert_eq!(text(b"\x01\0"), "\u{1}\0");
        assert_eq!(text(b"\xff\xfe"), "\u{fffd}\u{fffd}");
        assert_eq!(text(b""), "");
    }
}
