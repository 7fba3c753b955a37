//! Files, up and down. What a file is, its bytes say; what it is called is cleaned; and nothing that
//! comes down again can run: no sniffing, a sandbox, and only plain pictures are shown in place.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use protocol::attachment::Attachment;
use protocol::id::AttachmentId;
use protocol::limit;
use protocol::permission::{Actor, Permission, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text;
use storage::attachment::AttachmentRow;
use storage::blob::BlobRead;
use storage::spool::Spooled;

use crate::Doors;
use crate::http::auth::Anybody;
use crate::http::body::Incoming;
use crate::http::extract::{Json, Path};
use crate::http::line::Line;
use crate::http::problem::{Answer, Failure};
use crate::media::{self, Text};

/// The header with the file's name, percent-encoded.
const FILE_NAME: HeaderName = HeaderName::from_static("switchboard-file-name");
/// Pictures that browsers show and that cannot hold a script.
const SHOWN: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
];
/// What may stand in `filename*` as it is (RFC 8187).
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/attachments", post(upload))
        .route("/attachments/{id}", get(download))
}

/// Put a file up: its bytes are the body. Name the id in a message, or it is forgotten.
#[utoipa::path(post, path = "/api/v1/attachments", operation_id = "upload_attachment", tag = "files",
    security(("visitor" = []), ("session" = []), ("login_bearer" = []), ("key" = ["conversations.write"])),
    params(("switchboard-file-name" = String, Header, description = "The name, percent-encoded UTF-8.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Attachment)))]
pub(crate) async fn upload(
    State(doors): State<Doors>,
    Anybody(actor): Anybody,
    line: Line,
    headers: HeaderMap,
    request: Request,
) -> Answer<Response> {
    may_upload(&actor)?;
    let bytes_max = doors.config.limits.file_bytes_max();
    let said_length = said_length(&headers);
    if said_length.is_some_and(|length| length > bytes_max) {
        return Err(ErrorCode::TooLarge.into());
    }
    // Who says no length may send as much as a file may have.
    let budget = said_length.unwrap_or(bytes_max);
    doors.limits.upload(&actor, &line, budget)?;
    // Each has its beginning in memory, so only some at a time.
    let _place = doors.limits.upload_place(&line)?;
    let (spooled, text) = come_in(&doors, request, budget).await?;
    let looked = looked_at(&spooled.head, &text, &headers)?;
    if !doors.config.media_types.take(&looked.media_type) {
        return Err(Rejection::of(ErrorCode::FileType, "file").into());
    }
    let kept = keep(&doors, &actor, looked, spooled).await?;
    Ok((StatusCode::CREATED, Json(kept)).into_response())
}

/// Takes a file in as it comes, of which little is in memory at a time, and looks whether it is text.
async fn come_in(doors: &Doors, request: Request, bytes_max: u64) -> Answer<(Spooled, Text)> {
    let mut body = Incoming::new(request, bytes_max, &doors.world.clock);
    let mut spool = doors.blobs.spool();
    let mut text = Text::new();
    while let Some(part) = body.part().await? {
        text.take(&part);
        spool.write(&part).await?;
    }
    Ok((spool.finish().await?, text))
}

/// What was seen of a file.
struct Looked {
    name: String,
    media_type: String,
    size: Option<(u32, u32)>,
}

/// Keeps a file, if there is a place for it.
async fn keep(
    doors: &Doors,
    actor: &Actor,
    looked: Looked,
    spooled: Spooled,
) -> Answer<Attachment> {
    let attachment = Attachment {
        id: doors.world.ids.next(),
        name: looked.name,
        media_type: looked.media_type,
        size_bytes: spooled.size_bytes,
        width: looked.size.map(|(width, _)| width),
        height: looked.size.map(|(_, height)| height),
    };
    let row = AttachmentRow {
        attachment: attachment.clone(),
        uploader: actor.principal_key(),
        hash: spooled.hash.clone(),
        conversation_id: None,
        entry_id: None,
        internal: false,
        created_at_ms: doors.world.clock.now_ms(),
    };
    let workspace_id = actor.workspace_id;
    let put = doors.blobs.put_spooled(workspace_id, spooled);
    doors
        .router
        .keep_attachment(workspace_id, &row, put)
        .await?;
    Ok(attachment)
}

/// Who may write may send files.
fn may_upload(actor: &Actor) -> Answer<()> {
    match actor.principal {
        Principal::Visitor(_) => {}
        Principal::Agent(_) | Principal::Key(_) | Principal::System => {
            actor.may(Permission::ConversationsWrite)?;
        }
    }
    Ok(())
}

fn said_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// Finds out what a file is.
fn looked_at(head: &[u8], text: &Text, headers: &HeaderMap) -> Result<Looked, Rejection> {
    if head.is_empty() {
        return Err(Rejection::of(ErrorCode::Empty, "file"));
    }
    let said = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|kind| kind.trim().to_ascii_lowercase())
        .unwrap_or_default();
    let media_type = media::media_type(head, text, &said)?;
    let name = headers
        .get(FILE_NAME)
        .and_then(|value| value.to_str().ok())
        .map(|value| percent_decode_str(value).decode_utf8_lossy().into_owned())
        .unwrap_or_default();
    let size = media_type
        .starts_with("image/")
        .then(|| picture_size(head))
        .flatten();
    Ok(Looked {
        name: text::file_name(&name),
        media_type,
        size,
    })
}

/// Width and height that a picture claims, where people could look at it: not nothing, nor a thread, nor so
/// large that it fills a browser's memory when it is unpacked. Without a size it is a file like any other.
fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let size = imagesize::blob_size(bytes).ok()?;
    let width = u32::try_from(size.width).ok()?;
    let height = u32::try_from(size.height).ok()?;
    let (short, long) = (width.min(height), width.max(height));
    let is_fit = short > 0
        && long <= limit::PICTURE_SIDE_MAX
        && long.div_ceil(short) <= limit::PICTURE_RATIO_MAX
        && u64::from(short) * u64::from(long) <= limit::PICTURE_PIXELS_MAX;
    is_fit.then_some((width, height))
}

/// A file, for whoever may see its message.
#[utoipa::path(get, path = "/api/v1/attachments/{id}", operation_id = "download_attachment",
    tag = "files",
    security(("visitor" = []), ("session" = []), ("login_bearer" = []), ("key" = ["conversations.read"])),
    params(("id" = AttachmentId, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")))]
pub(crate) async fn download(
    State(doors): State<Doors>,
    Anybody(actor): Anybody,
    Path(attachment_id): Path<AttachmentId>,
) -> Answer<Response> {
    match actor.principal {
        Principal::Visitor(_) => {}
        Principal::Agent(_) | Principal::Key(_) | Principal::System => {
            actor.may(Permission::ConversationsRead)?;
        }
    }
    let row = storage::attachment::find(&doors.reader, actor.workspace_id, attachment_id).await?;
    let row = row.ok_or(ErrorCode::NotFound)?;
    if !may_see(&doors, &actor, &row).await? {
        return Err(ErrorCode::NotFound.into());
    }
    let found = doors.blobs.read(actor.workspace_id, &row.hash).await?;
    let found = found.ok_or(ErrorCode::NotFound)?;
    file(&row.attachment, found)
}

/// Until a message claims it, a file is its uploader's alone. Then it is seen by the team, and by the
/// visitor where the message is.
async fn may_see(doors: &Doors, actor: &Actor, row: &AttachmentRow) -> Answer<bool> {
    if row.uploader == actor.principal_key() {
        return Ok(true);
    }
    let Some(conversation_id) = row.conversation_id else {
        return Ok(false);
    };
    match actor.principal {
        Principal::Visitor(visitor) => {
            if row.internal {
                return Ok(false);
            }
            let conversation = storage::conversation::of_visitor(
                &doors.reader,
                actor.workspace_id,
                &visitor,
                conversation_id,
            )
            .await?;
            Ok(conversation.is_some())
        }
        Principal::Agent(_) | Principal::Key(_) | Principal::System => Ok(true),
    }
}

fn file(attachment: &Attachment, found: BlobRead) -> Answer<Response> {
    let is_shown = SHOWN.contains(&attachment.media_type.as_str());
    let kind = if is_shown { "inline" } else { "attachment" };
    let ascii: String = attachment
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || ".-_ ".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let encoded = utf8_percent_encode(&attachment.name, NAME);
    let disposition = format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    let value = |text: &str| HeaderValue::from_str(text).map_err(Failure::fault);
    // It is read as it is taken.
    let mut response = Response::new(Body::from_stream(found.bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, found.size_bytes.into());
    headers.insert(header::CONTENT_TYPE, value(&attachment.media_type)?);
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition)?);
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, max-age=3600"),
    );
    headers.insert(
        header::VARY,
        HeaderValue::from_static("authorization, cookie"),
    );
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x06\0\0\0";

    #[test]
    fn a_picture_has_its_size_and_a_clean_name() {
        let mut headers = HeaderMap::new();
        headers.insert(FILE_NAME, "..%2F%3Cb%3E%E2%80%AEgnp.png".parse().unwrap());
        let new = looked_at(PNG, &Text::new(), &headers).unwrap();
        assert_eq!(new.size, Some((2, 3)));
        assert_eq!(new.name, "bgnp.png");
    }

    #[test]
    fn a_picture_of_an_absurd_size_is_a_file_like_any_other() {
        let png = |width: u32, height: u32| {
            let mut bytes = PNG.to_vec();
            bytes[16..20].copy_from_slice(&width.to_be_bytes());
            bytes[20..24].copy_from_slice(&height.to_be_bytes());
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, "image/png".parse().unwrap());
            let new = looked_at(&bytes, &Text::new(), &headers).unwrap();
            assert_eq!(new.media_type, "image/png");
            new.size
        };
        let (side, ratio) = (limit::PICTURE_SIDE_MAX, limit::PICTURE_RATIO_MAX);
        // As high as a picture of this width may be.
        let width = 8_000;
        let height = u32::try_from(limit::PICTURE_PIXELS_MAX / u64::from(width)).unwrap();
        for good in [
            (1, 1),
            (1, ratio),
            (ratio, 1),
            (width, height),
            (side, 3_000),
        ] {
            assert_eq!(png(good.0, good.1), Some(good));
        }
        for (width, height) in [
            (0, 0),
            (0, 5),
            (1, ratio + 1),
            (1, 60_000),
            (60_000, 1),
            (side + 1, 1_000),
            (width, height + 1),
            (side, side),
            (65_535, 65_535),
            (u32::MAX, u32::MAX),
            (u32::MAX, 1),
        ] {
            assert_eq!(png(width, height), None, "{width}x{height}");
        }
        // Cut off in its head: it says no size, and nothing breaks.
        for end in 8..PNG.len() {
            assert_eq!(picture_size(&PNG[..end]).is_some(), end >= 24, "{end}");
        }
    }

    #[test]
    fn a_download_cannot_become_a_page() {
        let attachment = |media_type: &str, name: &str| Attachment {
            id: protocol::id::Id::from_bits(1),
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            size_bytes: 1,
            width: None,
            height: None,
        };
        let nothing = || BlobRead {
            size_bytes: 0,
            bytes: Box::pin(futures_util::stream::empty()),
        };
        let response = file(&attachment("text/plain", "a\"b\r\n č.txt"), nothing()).unwrap();
        let said = response.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .unwrap();
        assert!(
            said.starts_with("attachment; filename=\"a_b__ _.txt\""),
            "{said}"
        );
        assert!(said.ends_with("filename*=UTF-8''a%22b%0D%0A%20%C4%8D.txt"));
        let policy = &response.headers()[header::CONTENT_SECURITY_POLICY];
        assert_eq!(policy, "default-src 'none'; sandbox");
        let shown = file(&attachment("image/png", "a.png"), nothing()).unwrap();
        let said = shown.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .unwrap();
        assert!(said.starts_with("inline; "));
    }
}
