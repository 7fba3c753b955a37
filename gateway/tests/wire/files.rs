//! Files, up and down.

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
