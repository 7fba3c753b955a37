//! A member's picture, or a workspace's icon, as it comes and as it is kept: a square PNG or JPEG, of which only what makes the picture stays.
//! It is taken apart and put together again without being unpacked: places, names of programs and whatever else
//! cameras write into pictures are left behind, and so is what hides behind a picture's end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::limit;
use protocol::rejection::{ErrorCode, Rejection};
use storage::picture::{NewPicture, Picture};

use crate::Desk;

const PNG: &str = "image/png";
const JPEG: &str = "image/jpeg";

impl Desk {
    /// What becomes of a picture that a `data:` address says: it gets an id of its own.
    ///
    /// # Errors
    /// Those of [`checked`].
    pub(crate) fn new_picture(
        &self,
        text: &str,
        field: &'static str,
    ) -> Result<NewPicture, Rejection> {
        let picture = checked(text, field)?;
        Ok(picture.map_or(NewPicture::Nothing, |picture| {
            NewPicture::Is(self.0.world.ids.next(), picture)
        }))
    }
}

/// The picture that a `data:` address holds; nothing where it is empty.
///
/// # Errors
/// `too_large`; `file_type` where it is none, or not as it should be; with the field.
fn checked(text: &str, field: &'static str) -> Result<Option<Picture>, Rejection> {
    let refused = |code| Rejection::of(code, field);
    if text.is_empty() {
        return Ok(None);
    }
    let none = || refused(ErrorCode::FileType);
    let (head, code) = text.split_once(',').ok_or_else(none)?;
    // In base64 four letters stand for three bytes.
    if code.len() / 4 > limit::AGENT_PICTURE_BYTES_MAX.div_ceil(3) {
        return Err(refused(ErrorCode::TooLarge));
    }
    let bytes = STANDARD.decode(code).map_err(|_| none())?;
    if bytes.len() > limit::AGENT_PICTURE_BYTES_MAX {
        return Err(refused(ErrorCode::TooLarge));
    }
    let (media_type, content) = match head {
        "data:image/png;base64" => (PNG, png(&bytes)),
        "data:image/jpeg;base64" => (JPEG, jpeg(&bytes)),
        _ => return Err(none()),
    };
    Ok(Some(Picture {
        media_type: media_type.to_owned(),
        content: content.ok_or_else(none)?,
    }))
}

/// Whether sides are those of a picture that may be kept.
fn is_square(width: u32, height: u32) -> bool {
    width == height && (1..=limit::AGENT_PICTURE_SIDE_MAX).contains(&width)
}

/// Takes so many bytes from the front.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(head)
}

fn take_u16(bytes: &mut &[u8]) -> Option<u16> {
    take(bytes, 2).map(|two| u16::from_be_bytes([two[0], two[1]]))
}

fn take_u32(bytes: &mut &[u8]) -> Option<u32> {
    let four = take(bytes, 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

const PNG_MARK: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A PNG with nothing but its picture: size, colors, and what is where. Nothing where it is not whole.
fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(PNG_MARK)?;
    let mut kept = PNG_MARK.to_vec();
    let mut is_first = true;
    let mut has_content = false;
    loop {
        let chunk = rest;
        let length = usize::try_from(take_u32(&mut rest)?).ok()?;
        let kind = take(&mut rest, 4)?;
        let mut content = take(&mut rest, length)?;
        let sum = take_u32(&mut rest)?;
        if crc(&chunk[4..8 + length]) != sum || is_first != (kind == b"IHDR") {
            return None;
        }
        match kind {
            b"IHDR" => {
                let (width, height) = (take_u32(&mut content)?, take_u32(&mut content)?);
                if !is_square(width, height) || content.len() != 5 {
                    return None;
                }
            }
            b"IDAT" => has_content = true,
            b"PLTE" | b"tRNS" | b"IEND" => {}
            // What a picture is the same without says so by its first letter.
            _ if kind[0].is_ascii_lowercase() => continue,
            _ => return None,
        }
        kept.extend_from_slice(&chunk[..12 + length]);
        is_first = false;
        if kind == b"IEND" {
            return (has_content && length == 0).then_some(kept);
        }
    }
}

/// The checksum of a chunk: CRC-32 as in ISO 3309, bit by bit, for it is small.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    })
}

/// A JPEG with nothing but its picture. Nothing where it is not whole.
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    let mut kept = b"\xff\xd8".to_vec();
    let (mut has_size, mut has_content) = (false, false);
    loop {
        let segment = rest;
        let &[0xff, mark] = take(&mut rest, 2)? else {
            return None;
        };
        if mark == 0xd9 {
            kept.extend_from_slice(&segment[..2]);
            return has_content.then_some(kept);
        }
        let length = usize::from(take_u16(&mut rest)?);
        let mut content = take(&mut rest, length.checked_sub(2)?)?;
        match mark {
            // The size, of pictures that browsers show: whole, finer, or finer and finer.
            0xc0..=0xc2 => {
                take(&mut content, 1)?;
                let (height, width) = (take_u16(&mut content)?, take_u16(&mut content)?);
                if has_size || !is_square(width.into(), height.into()) {
                    return None;
                }
                has_size = true;
            }
            // Tables, and after how much the counting begins anew.
            0xc4 | 0xdb | 0xdd => {}
            // How the colors are meant; other words of programs are left behind, and so are remarks.
            0xee if content.starts_with(b"Adobe") && content.len() == 12 => {}
            0xe0..=0xef | 0xfe => continue,
            0xda if has_size => has_content = true,
            _ => return None,
        }
        kept.extend_from_slice(&segment[..2 + length]);
        if mark == 0xda {
            let scan = scan(rest)?;
            kept.extend_from_slice(take(&mut rest, scan)?);
        }
    }
}

/// How many bytes there are before the next mark that does not belong to the picture's content.
fn scan(bytes: &[u8]) -> Option<usize> {
    let is_end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7);
    bytes.windows(2).position(is_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut named = kind.to_vec();
        named.extend_from_slice(content);
        let length = u32::try_from(content.len()).unwrap();
        let sum = crc(&named);
        [&length.to_be_bytes()[..], &named, &sum.to_be_bytes()].concat()
    }

    fn size(width: u32, height: u32) -> Vec<u8> {
        let tail = [8, 6, 0, 0, 0];
        let content = [&width.to_be_bytes()[..], &height.to_be_bytes(), &tail].concat();
        chunk(b"IHDR", &content)
    }

    fn png_of(parts: &[Vec<u8>]) -> Vec<u8> {
        [PNG_MARK.to_vec(), parts.concat()].concat()
    }

    fn segment(mark: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xff, mark][..], &length, content].concat()
    }

    fn frame(width: u16, height: u16) -> Vec<u8> {
        let (height, width) = (height.to_be_bytes(), width.to_be_bytes());
        let tail = [1, 1, 0x11, 0];
        segment(0xc0, &[&[8][..], &height, &width, &tail].concat())
    }

    const SCAN: &[u8] = b"\x01\xff\x00\x02\xff\xd0\x03";

    fn jpeg_of(parts: &[Vec<u8>]) -> Vec<u8> {
        let start = segment(0xda, &[1, 1, 0, 0, 63, 0]);
        let (begin, end) = (b"\xff\xd8".to_vec(), b"\xff\xd9".to_vec());
        [begin, parts.concat(), start, SCAN.to_vec(), end].concat()
    }

    fn address(kind: &str, bytes: &[u8]) -> String {
        format!("data:{kind};base64,{}", STANDARD.encode(bytes))
    }

    fn check(kind: &str, bytes: &[u8], expected: Option<&[u8]>, what: &str) {
        let found = checked(&address(kind, bytes), "picture").ok().flatten();
        let content = found.map(|picture| {
            assert_eq!(picture.media_type, kind);
            picture.content
        });
        assert_eq!(content.as_deref(), expected, "{what}");
    }

    #[test]
    fn the_checksum_is_the_known_one() {
        assert_eq!(crc(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc(b"IEND"), 0xae42_6082);
    }

    #[test]
    fn of_a_png_its_picture_stays_alone() {
        let (data, end) = (chunk(b"IDAT", b"xyz"), chunk(b"IEND", b""));
        let plain = png_of(&[size(9, 9), data.clone(), end.clone()]);
        check(PNG, &plain, Some(&plain), "plain");
        let told = [chunk(b"tEXt", b"Place\0home"), chunk(b"eXIf", b"GPS")].concat();
        let rich = png_of(&[size(9, 9), told, data.clone(), end.clone()]);
        check(PNG, &rich, Some(&plain), "what is written into it");
        let long = [&plain[..], b"<script>"].concat();
        check(PNG, &long, Some(&plain), "what is behind it");
        for cut in 0..plain.len() {
            check(PNG, &plain[..cut], None, "cut off");
        }
        let mut broken = plain.clone();
        broken[20] ^= 1;
        check(PNG, &broken, None, "another checksum");
        for (parts, what) in [
            (vec![size(9, 9), end.clone()], "without content"),
            (vec![data.clone(), size(9, 9), end.clone()], "in disorder"),
            (
                vec![size(9, 9), size(9, 9), data.clone(), end.clone()],
                "twice",
            ),
            (
                vec![size(9, 9), chunk(b"NEWS", b""), data.clone(), end.clone()],
                "unknown",
            ),
            (vec![size(9, 8), data.clone(), end.clone()], "not square"),
            (vec![size(0, 0), data.clone(), end.clone()], "of nothing"),
            (
                vec![chunk(b"IHDR", &[0; 8]), data.clone(), end.clone()],
                "short",
            ),
        ] {
            check(PNG, &png_of(&parts), None, what);
        }
        let side = limit::AGENT_PICTURE_SIDE_MAX;
        let most = png_of(&[size(side, side), data.clone(), end.clone()]);
        check(PNG, &most, Some(&most), "as large as may be");
        let more = png_of(&[size(side + 1, side + 1), data, end]);
        check(PNG, &more, None, "larger");
        let length = u32::MAX.to_be_bytes();
        check(PNG, &[PNG_MARK, &length, b"IHDR"].concat(), None, "endless");
    }

    #[test]
    fn of_a_jpeg_its_picture_stays_alone() {
        let adobe = segment(0xee, b"Adobe\0\x64\0\0\0\0\x01");
        let table = segment(0xdb, &[0; 65]);
        let plain = jpeg_of(&[table.clone(), adobe.clone(), frame(9, 9)]);
        check(JPEG, &plain, Some(&plain), "plain");
        let told = [segment(0xe1, b"Exif\0\0GPS"), segment(0xfe, b"a remark")].concat();
        let rich = jpeg_of(&[told, table.clone(), adobe, frame(9, 9)]);
        check(JPEG, &rich, Some(&plain), "what is written into it");
        let long = [&plain[..], b"PK\x03\x04"].concat();
        check(JPEG, &long, Some(&plain), "what is behind it");
        for cut in 0..plain.len() {
            check(JPEG, &plain[..cut], None, "cut off");
        }
        for (parts, what) in [
            (vec![table.clone()], "without a size"),
            (vec![frame(9, 9), frame(9, 9)], "with two"),
            (vec![frame(9, 8)], "not square"),
            (vec![frame(0, 0)], "of nothing"),
            (vec![frame(9, 9), segment(0xc9, b"")], "of another kind"),
            (
                vec![frame(9, 9), vec![0xff, 0xdb, 0, 1]],
                "with a wrong length",
            ),
        ] {
            check(JPEG, &jpeg_of(&parts), None, what);
        }
        let side = u16::try_from(limit::AGENT_PICTURE_SIDE_MAX).unwrap();
        let most = jpeg_of(&[frame(side, side)]);
        check(JPEG, &most, Some(&most), "as large as may be");
        check(JPEG, &jpeg_of(&[frame(side + 1, side + 1)]), None, "larger");
    }

    #[test]
    fn nothing_else_is_a_picture_and_nothing_takes_it_away() {
        assert_eq!(checked("", "picture"), Ok(None));
        let plain = png_of(&[size(9, 9), chunk(b"IDAT", b"x"), chunk(b"IEND", b"")]);
        let refused = |text: &str| checked(text, "picture").unwrap_err();
        for bad in [
            address("image/svg+xml", b"<svg onload=alert(1)>"),
            address("image/webp", &plain),
            address("image/gif", b"GIF89a"),
            address("text/html", b"<b>"),
            address(JPEG, &plain),
            "https://example.com/me.png".to_owned(),
            "data:image/png;base64".to_owned(),
            "data:image/png;base64,%%%".to_owned(),
            format!("{}\" onerror=\"", address(PNG, &plain)),
        ] {
            let wrong = Rejection::of(ErrorCode::FileType, "picture");
            assert_eq!(refused(&bad), wrong, "{bad}");
        }
        let room = limit::AGENT_PICTURE_BYTES_MAX - plain.len() - 12;
        let filled = |count| {
            png_of(&[
                size(9, 9),
                chunk(b"tEXt", &vec![b'x'; count]),
                chunk(b"IDAT", b"x"),
                chunk(b"IEND", b""),
            ])
        };
        check(PNG, &filled(room), Some(&plain), "as much as may be");
        for count in [room + 1, 10 * limit::AGENT_PICTURE_BYTES_MAX] {
            let large = Rejection::of(ErrorCode::TooLarge, "picture");
            assert_eq!(refused(&address(PNG, &filled(count))), large);
        }
    }
}
