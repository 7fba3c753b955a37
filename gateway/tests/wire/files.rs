//! Files, up and down.

use gateway::config::ByteRate;
use gateway::media::MediaTypes;
use protocol::limit;
use serde_json::json;

use crate::stack::{Answer, PAGE, Stack};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x06\0\0\0";

async fn upload(stack: &Stack, token: &str, said: &str, name: &str, bytes: &[u8]) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("origin", PAGE),
        ("content-type", said),
        ("switchboard-file-name", name),
    ];
    stack
        .request("POST", "/api/v1/attachments", &headers, bytes)
        .await
}

async fn download(stack: &Stack, token: &str, id: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let path = format!("/api/v1/attachments/{id}");
    stack.get(&path, &[("authorization", &bearer)]).await
}

#[tokio::test]
async fn a_file_is_its_uploaders_until_a_message_claims_it() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let other = stack.visitor_token().await;
    let kept = upload(&stack, &token, "image/png", "a%20b.png", PNG).await;
    assert_eq!(kept.status, 201, "{kept:?}");
    let kept = kept.json();
    assert_eq!(
        (&kept["width"], &kept["height"], &kept["name"]),
        (&json!(2), &json!(3), &json!("a b.png"))
    );
    let id = kept["id"].as_str().unwrap();
    let own = download(&stack, &token, id).await;
    assert_eq!((own.status, own.body.as_slice()), (200, PNG));
    assert_eq!(download(&stack, &other, id).await.status, 404);
    assert_eq!(download(&stack, &stack.secret, id).await.status, 404);
    let mut visitor = stack.visitor(&token).await;
    visitor
        .says("one", json!({"do": "send_message", "attachment_ids": [id]}))
        .await;
    visitor.until("ack").await;
    assert_eq!(download(&stack, &stack.secret, id).await.status, 200);
    assert_eq!(download(&stack, &other, id).await.status, 404);
    assert_eq!(
        stack
            .get(&format!("/api/v1/attachments/{id}"), &[])
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_file_that_lies_or_is_too_large_is_refused() {
    let stack = Stack::with(|config| config.limits.attachment_bytes_max = 1_000).await;
    let token = stack.visitor_token().await;
    let check = async |said: &str, bytes: &[u8], status: u16, code: &str| {
        let answer = upload(&stack, &token, said, "x", bytes).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    };
    check(
        "image/png",
        b"<html><script>alert(1)</script>",
        415,
        "file_type",
    )
    .await;
    check("text/plain", b"MZ\x90\0", 415, "file_type").await;
    check("text/plain", &[b'x'; 1_001], 413, "too_large").await;
    check("text/plain", b"", 422, "empty").await;
}

#[tokio::test]
async fn no_configuration_allows_a_file_over_the_limit() {
    let stack = Stack::with(|config| {
        config.limits.attachment_bytes_max = u64::MAX;
        config.limits.trusted_addresses = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let token = stack.visitor_token().await;
    let most = usize::try_from(limit::ATTACHMENT_BYTES_MAX).unwrap();
    let large = vec![b'x'; most + 1];
    let answer = upload(&stack, &token, "text/plain", "x", &large).await;
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    assert_eq!(stack.file_count(), 0);
    let answer = upload(&stack, &token, "text/plain", "x", &large[..most]).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test]
async fn only_types_that_the_operator_named_are_taken_and_the_bytes_say_the_type() {
    let taken = ["image/png".to_owned(), "text/*".to_owned()];
    let stack = Stack::with(|config| {
        config.media_types = MediaTypes::parse(&taken).unwrap();
    })
    .await;
    let token = stack.visitor_token().await;
    let refuses = async |by: &str, said: &str, bytes: &[u8]| {
        let answer = upload(&stack, by, said, "x", bytes).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (415, "file_type"),
            "{said}"
        );
        assert_eq!(answer.json()["field"], "file");
        assert_eq!(stack.file_count(), 0, "{said}");
    };
    const GIF: &[u8] = b"GIF89a\x02\0\x03\0\0\0\0";
    const PDF: &[u8] = b"%PDF-1.7\n";
    for by in [&token, &stack.secret] {
        refuses(by, "image/gif", GIF).await;
        // It says that it is of a type that is taken, and is not.
        refuses(by, "image/png", GIF).await;
        refuses(by, "text/plain", PDF).await;
        refuses(by, "text/plain", b"\0\x01\x02").await;
    }
    let takes = async |said: &str, bytes: &[u8], found: &str| {
        let answer = upload(&stack, &token, said, "x", bytes).await;
        assert_eq!(answer.status, 201, "{said}: {answer:?}");
        assert_eq!(answer.json()["media_type"], found);
    };
    takes("image/gif", PNG, "image/png").await;
    takes("application/pdf-or-so", b"hello", "text/plain").await;
    takes("text/csv", b"a,b\n1,2\n", "text/csv").await;
}

#[tokio::test]
async fn a_download_cannot_become_a_page_of_ours() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let html = b"<!DOCTYPE html><script>alert(document.cookie)</script>";
    let kept = upload(&stack, &token, "text/html", "x.html", html)
        .await
        .json();
    let answer = download(&stack, &token, kept["id"].as_str().unwrap()).await;
    assert_eq!(answer.headers["content-type"], "text/plain");
    assert!(answer.headers["content-disposition"].starts_with("attachment;"));
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert_eq!(
        answer.headers["content-security-policy"],
        "default-src 'none'; sandbox"
    );
}

#[tokio::test]
async fn what_is_refused_over_the_bound_leaves_no_file() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    for number in 0..limit::UNCLAIMED_ATTACHMENTS_MAX + 3 {
        let bytes = format!("file number {number}");
        let answer = upload(&stack, &token, "text/plain", "x", bytes.as_bytes()).await;
        if number < limit::UNCLAIMED_ATTACHMENTS_MAX {
            assert_eq!(answer.status, 201, "{answer:?}");
        } else {
            assert_eq!((answer.status, answer.code().as_str()), (422, "too_many"));
        }
    }
    assert_eq!(stack.file_count(), limit::UNCLAIMED_ATTACHMENTS_MAX);
}

#[tokio::test]
async fn uploads_have_a_budget_of_bytes_by_visitor_and_by_address() {
    const KIB: u64 = 1024;
    let stack = Stack::with(|config| {
        config.limits.visitor_upload_bytes = ByteRate::new(1, 200 * KIB);
        config.limits.address_upload_bytes = ByteRate::new(1, 300 * KIB);
    })
    .await;
    let check = async |token: &str, size_kib: usize, status: u16, code: &str| {
        let bytes = vec![b'x'; size_kib * 1024];
        let answer = upload(&stack, token, "text/plain", "x", &bytes).await;
        assert_eq!(answer.status, status, "{answer:?}");
        if status != 201 {
            assert_eq!(answer.code(), code);
        }
    };
    let token = stack.visitor_token().await;
    check(&token, 201, 413, "too_large").await;
    check(&token, 130, 201, "").await;
    check(&token, 130, 429, "rate_limited").await;
    // The smallest file counts as 64 KiB.
    check(&token, 1, 201, "").await;
    check(&token, 1, 429, "rate_limited").await;
    let other = stack.visitor_token().await;
    check(&other, 100, 201, "").await;
    check(&other, 100, 429, "rate_limited").await;
    assert_eq!(stack.file_count(), 3);
}

#[tokio::test]
async fn a_file_that_cannot_be_stored_leaves_its_place_to_others() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let more = limit::UNCLAIMED_ATTACHMENTS_MAX as u64 + 1;
    stack.world.faults.fail("blob.put", 0, more);
    for _ in 0..more {
        let answer = upload(&stack, &token, "text/plain", "x", b"hello").await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (503, "unavailable")
        );
    }
    let answer = upload(&stack, &token, "text/plain", "x", b"hello").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(stack.file_count(), 1);
}

#[tokio::test]
async fn a_large_file_comes_back_as_it_went() {
    let stack = Stack::start().await;
    let token = stack.visitor_token().await;
    let line: Vec<u8> = (0..=255).collect();
    let file = line.repeat(6_000);
    let kept = upload(&stack, &token, "application/octet-stream", "big.bin", &file).await;
    assert_eq!(kept.status, 201, "{kept:?}");
    let kept = kept.json();
    assert_eq!(kept["size_bytes"], json!(file.len()));
    assert_eq!(kept["media_type"], "application/octet-stream");
    let answer = download(&stack, &token, kept["id"].as_str().unwrap()).await;
    assert_eq!(answer.headers["content-length"], file.len().to_string());
    assert!(answer.body == file, "other bytes came back");
    // What is text at its beginning and not later is no text.
    let mut mixed = vec![b'a'; 1 << 20];
    mixed.push(0);
    let kept = upload(&stack, &token, "text/plain", "a.txt", &mixed).await;
    assert_eq!(kept.json()["media_type"], "application/octet-stream");
}
