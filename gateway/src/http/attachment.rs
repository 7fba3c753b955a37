//! Files, up and down. What a file is, its bytes say; what it is called is cleaned; and nothing that
//! comes down again can run: no sniffing, a sandbox, and only plain pictures are shown in place.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use protocol::attachment::Attachment;
use protocol::id::AttachmentId;
use protocol::limit;
use protocol::permission::{Actor, Permission, Principal};
use protocol::rejection::{ErrorCode, Rejection};
use protocol::text;
use storage::attachment::AttachmentRow;

use crate::Doors;
use crate::http::auth::Anybody;
use crate::http::body::Incoming;
use crate::http::extract::{Json, Path};
use crate::http::line::Line;
use crate::http::problem::{Answer, Failure};

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
    let bytes_max = doors
        .config
        .limits
        .attachment_bytes_max
        .min(limit::ATTACHMENT_BYTES_MAX);
    let said_length = said_length(&headers);
    if said_length.is_some_and(|length| length > bytes_max) {
        return Err(ErrorCode::TooLarge.into());
    }
    // Who says no length may send as much as a file may have.
    let budget = said_length.unwrap_or(bytes_max);
    doors.limits.upload(&actor, &line, budget)?;
    // Files are read whole to be looked at and hashed, so only some at a time.
    let _place = doors
        .uploads
        .try_acquire()
        .map_err(|_| Rejection::after(ErrorCode::Unavailable, 1_000))?;
    let bytes = Incoming::new(request, budget, &doors.world.clock)
        .whole()
        .await?;
    let new = looked_at(bytes, &headers)?;
    let kept = keep(&doors, &actor, new).await?;
    Ok((StatusCode::CREATED, Json(kept)).into_response())
}

/// A file that was looked at.
struct NewAttachment {
    name: String,
    media_type: String,
    size: Option<(u32, u32)>,
    bytes: Bytes,
}

/// Keeps a file, if there is a place for it.
async fn keep(doors: &Doors, actor: &Actor, new: NewAttachment) -> Answer<Attachment> {
    let size_bytes = u64::try_from(new.bytes.len()).expect("a size fits into 64 bits");
    let hash = storage::blob::hash(&new.bytes);
    let attachment = Attachment {
        id: doors.world.ids.next(),
        name: new.name,
        media_type: new.media_type,
        size_bytes,
        width: new.size.map(|(width, _)| width),
        height: new.size.map(|(_, height)| height),
    };
    let row = AttachmentRow {
        attachment: attachment.clone(),
        uploader: actor.principal_key(),
        hash: hash.clone(),
        conversation_id: None,
        entry_id: None,
        internal: false,
        created_at_ms: doors.world.clock.now_ms(),
    };
    let workspace_id = actor.workspace_id;
    let put = doors.blobs.put(workspace_id, &hash, new.bytes);
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
fn looked_at(bytes: Vec<u8>, headers: &HeaderMap) -> Result<NewAttachment, Rejection> {
    if bytes.is_empty() {
        return Err(Rejection::of(ErrorCode::Empty, "file"));
    }
    let said = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map(|kind| kind.trim().to_ascii_lowercase())
        .unwrap_or_default();
    let media_type = media_type(&bytes, &said)?;
    let name = headers
        .get(FILE_NAME)
        .and_then(|value| value.to_str().ok())
        .map(|value| percent_decode_str(value).decode_utf8_lossy().into_owned())
        .unwrap_or_default();
    let size = media_type
        .starts_with("image/")
        .then(|| imagesize::blob_size(&bytes).ok())
        .flatten()
        .and_then(|size| {
            Some((
                u32::try_from(size.width).ok()?,
                u32::try_from(size.height).ok()?,
            ))
        });
    Ok(NewAttachment {
        name: text::file_name(&name),
        media_type,
        size,
        bytes: Bytes::from(bytes),
    })
}

/// The type that the bytes show. Programs are refused, and so are files whose words and bytes differ
/// where it matters: what is said to be a picture, a film, a sound or a PDF must be one.
fn media_type(bytes: &[u8], said: &str) -> Result<String, Rejection> {
    let refused = || Rejection::of(ErrorCode::FileType, "file");
    let found = infer::get(bytes);
    if let Some(kind) = found {
        if infer::is_app(bytes) || kind.mime_type() == "text/x-shellscript" {
            return Err(refused());
        }
        if is_markup(kind.mime_type()) {
            return claims_to_be_seen(said)
                .then(refused)
                .map_or_else(|| Ok("text/plain".to_owned()), Err);
        }
        let major = |kind: &str| kind.split('/').next().unwrap_or_default().to_owned();
        if claims_to_be_seen(said) && major(said) != major(kind.mime_type()) {
            return Err(refused());
        }
        return Ok(kind.mime_type().to_owned());
    }
    if claims_to_be_seen(said) {
        return Err(refused());
    }
    let is_text = std::str::from_utf8(bytes).is_ok_and(|text| {
        !text
            .chars()
            .any(|c| c.is_control() && !"\t\r\n\u{c}".contains(c))
    });
    Ok(match said {
        "text/csv" | "text/markdown" | "application/json" if is_text => said.to_owned(),
        _ if is_text => "text/plain".to_owned(),
        _ => "application/octet-stream".to_owned(),
    })
}

fn is_markup(kind: &str) -> bool {
    matches!(
        kind,
        "text/html" | "text/xml" | "application/xml" | "image/svg+xml"
    )
}

/// Whether a file is said to be something that people look at or listen to.
fn claims_to_be_seen(said: &str) -> bool {
    let is_medium = ["image/", "video/", "audio/"]
        .iter()
        .any(|major| said.starts_with(major));
    (is_medium && said != "image/svg+xml") || said == "application/pdf"
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
    let row = storage::attachment::find(&doors.reader, actor.workspace_id, attachment_id).await?;
    let row = row.ok_or(ErrorCode::NotFound)?;
    if !may_see(&doors, &actor, &row).await? {
        return Err(ErrorCode::NotFound.into());
    }
    let bytes = doors.blobs.get(actor.workspace_id, &row.hash).await?;
    let bytes = bytes.ok_or(ErrorCode::NotFound)?;
    file(&row.attachment, bytes)
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
        Principal::Agent(_) | Principal::Key(_) | Principal::System => {
            actor.may(Permission::ConversationsRead)?;
            Ok(true)
        }
    }
}

fn file(attachment: &Attachment, bytes: Bytes) -> Answer<Response> {
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
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
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

    fn check(bytes: &[u8], said: &str, expected: Option<&str>) {
        assert_eq!(media_type(bytes, said).ok().as_deref(), expected, "{said}");
    }

    #[test]
    fn a_file_is_what_its_bytes_say() {
        check(PNG, "image/png", Some("image/png"));
        check(PNG, "image/jpeg", Some("image/png"));
        check(PNG, "", Some("image/png"));
        check(PNG, "text/html", Some("image/png"));
        check(b"%PDF-1.7\n", "application/pdf", Some("application/pdf"));
        check(b"a,b\n1,2\n", "text/csv", Some("text/csv"));
        check(b"hello", "text/html", Some("text/plain"));
        check(
            b"\0\x01\x02",
            "application/zip",
            Some("application/octet-stream"),
        );
    }

    #[test]
    fn a_file_that_lies_where_it_matters_is_refused() {
        check(b"<html><script>alert(1)</script>", "image/png", None);
        check(b"hello", "image/png", None);
        check(b"hello", "application/pdf", None);
        check(PNG, "video/mp4", None);
        check(PNG, "application/pdf", None);
        check(b"MZ\x90\0\x03\0\0\0", "text/plain", None);
        let mut program = vec![0; 64];
        program[..4].copy_from_slice(b"\x7fELF");
        check(&program, "application/octet-stream", None);
        check(b"#!/bin/sh\nrm\n", "text/plain", None);
    }

    #[test]
    fn markup_goes_out_as_plain_text() {
        check(b"<!DOCTYPE html><p>", "text/html", Some("text/plain"));
        check(
            b"<?xml version=\"1.0\"?><svg/>",
            "image/svg+xml",
            Some("text/plain"),
        );
        check(
            b"<svg onload=alert(1)>",
            "image/svg+xml",
            Some("text/plain"),
        );
    }

    #[test]
    fn a_picture_has_its_size_and_a_clean_name() {
        let mut headers = HeaderMap::new();
        headers.insert(FILE_NAME, "..%2F%3Cb%3E%E2%80%AEgnp.png".parse().unwrap());
        let new = looked_at(PNG.to_vec(), &headers).unwrap();
        assert_eq!(new.size, Some((2, 3)));
        assert_eq!(new.name, "bgnp.png");
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
        let response = file(
            &attachment("text/plain", "a\"b\r\n č.txt"),
            Bytes::from_static(b"x"),
        )
        .unwrap();
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
        let shown = file(&attachment("image/png", "a.png"), Bytes::new()).unwrap();
        let said = shown.headers()[header::CONTENT_DISPOSITION]
            .to_str()
            .unwrap();
        assert!(said.starts_with("inline; "));
    }
}
