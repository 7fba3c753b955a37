//! Files of the web apps: the loader, the panel, the console, the demo. In release binaries they are
//! inside; a debug build, or `assets_dir`, reads them from a checkout.
//!
//! Names with a hash live for a year; all else is asked for again, cheaply, by its tag. The page of
//! the panel says which pages may frame it: those of its site.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use protocol::id::SiteId;
use protocol::language::WidgetLanguage;
use protocol::permission::{Actor, Permission, Principal};
use protocol::rejection::ErrorCode;
use serde::Deserialize;

use crate::Doors;
use crate::http::extract::{Path, Query};
use crate::http::line::Line;
use crate::http::problem::{Answer, Failure};
use crate::http::security;
use crate::origin;

/// A file inside the binary.
struct Embedded {
    path: &'static str,
    bytes: &'static [u8],
    gzip: Option<&'static [u8]>,
}

static EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The part of a demo page that is replaced by a site's key.
const SITE_KEY_MARK: &str = "%SITE_KEY%";

/// How long a browser may keep a file without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Its name changes with its content.
    Forever,
    /// The loader: pages of customers ask for it all the time.
    Minutes,
    /// Always ask.
    Never,
}

impl Keep {
    fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Forever => "public, max-age=31536000, immutable",
            Self::Minutes => "public, max-age=300",
            Self::Never => "no-cache",
        })
    }
}

/// A file with what is sent along.
struct File {
    bytes: Cow<'static, [u8]>,
    gzip: Option<&'static [u8]>,
}

pub(crate) fn routes() -> Router<Doors> {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/console/") }))
        .route("/widget.js", get(loader))
        .route("/widget/panel", get(panel))
        .route("/widget/assets/{*path}", get(widget_asset))
        .route(
            "/console",
            get(|| async { Redirect::temporary("/console/") }),
        )
        .route("/console/", get(console_page))
        .route("/console/{*path}", get(console))
        .route("/demo", get(|| async { Redirect::temporary("/demo/") }))
        .route("/demo/", get(demo_page))
        .route("/demo/{*path}", get(demo))
}

async fn loader(State(doors): State<Doors>, headers: HeaderMap) -> Answer<Response> {
    let file = find(&doors, "widget-js/dist/loader.js").await?;
    let mut response = answer(&file, "loader.js", Keep::Minutes, &headers);
    security::for_any_page(response.headers_mut());
    Ok(response)
}

#[derive(Deserialize)]
struct PanelQuery {
    site: Option<String>,
}

async fn panel(
    State(doors): State<Doors>,
    line: Line,
    Query(query): Query<PanelQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let file = find(&doors, "widget-js/dist/panel.html").await?;
    let site_id: Option<SiteId> = query.site.as_deref().and_then(|key| key.parse().ok());
    let site = match site_id {
        Some(site_id) => storage::site::by_key(&doors.reader, site_id).await?,
        None => None,
    };
    let ancestors = match &site {
        Some((_, site)) if !site.archived => origin::frame_ancestors(site),
        Some(_) | None => "'none'".to_owned(),
    };
    let mut response = answer(&file, "panel.html", Keep::Never, &headers);
    security::for_panel(response.headers_mut(), &ancestors, &line);
    Ok(response)
}

async fn widget_asset(
    State(doors): State<Doors>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let file = find(&doors, &format!("widget-js/dist/assets/{path}")).await?;
    let mut response = answer(&file, &path, Keep::Forever, &headers);
    security::for_any_page(response.headers_mut());
    Ok(response)
}

/// What the launcher says in a language, as the widget's build has it; in the site's `main` one where that language is
/// none of the widget's, and nothing where there is no build.
pub(crate) async fn launcher_words(
    doors: &Doors,
    tag: Option<&str>,
    main: Option<WidgetLanguage>,
) -> BTreeMap<String, String> {
    let main = main.unwrap_or(WidgetLanguage::English).as_str();
    let own = tag.and_then(|tag| tag.split('-').next()).unwrap_or(main);
    for language in [own.to_ascii_lowercase().as_str(), main] {
        let path = format!("widget-js/dist/words/{language}.json");
        if let Ok(file) = find(doors, &path).await
            && let Ok(words) = serde_json::from_slice(&file.bytes)
        {
            return words;
        }
    }
    BTreeMap::new()
}

async fn console_page(
    State(doors): State<Doors>,
    line: Line,
    headers: HeaderMap,
) -> Answer<Response> {
    let file = find(&doors, "console/dist/index.html").await?;
    let mut response = answer(&file, "index.html", Keep::Never, &headers);
    security::for_console(response.headers_mut(), &line);
    Ok(response)
}

/// A path that is no file is a place inside the app.
async fn console(
    State(doors): State<Doors>,
    line: Line,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Answer<Response> {
    let is_hashed = path.starts_with("assets/");
    match find(&doors, &format!("console/dist/{path}")).await {
        Ok(file) => {
            let keep = if is_hashed {
                Keep::Forever
            } else {
                Keep::Never
            };
            let mut response = answer(&file, &path, keep, &headers);
            security::for_console(response.headers_mut(), &line);
            Ok(response)
        }
        Err(failure) if is_hashed => Err(failure),
        Err(_) => console_page(State(doors), line, headers).await,
    }
}

/// Which site the demo tries out; the oldest one in use where it is not said.
#[derive(Deserialize)]
struct DemoQuery {
    site: Option<SiteId>,
}

async fn demo_page(
    State(doors): State<Doors>,
    line: Line,
    query: Query<DemoQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let path = Path("index.html".to_owned());
    demo(State(doors), line, path, query, headers).await
}

async fn demo(
    State(doors): State<Doors>,
    line: Line,
    Path(path): Path<String>,
    Query(query): Query<DemoQuery>,
    headers: HeaderMap,
) -> Answer<Response> {
    let mut path = path;
    if path.ends_with('/') {
        path.push_str("index.html");
    }
    let mut found = find(&doors, &format!("widget-js/demo/{path}")).await;
    if found.is_err() && !path.contains('.') {
        let page = format!("{path}/index.html");
        if find(&doors, &format!("widget-js/demo/{page}"))
            .await
            .is_ok()
        {
            // Relative links need the slash.
            return Ok(Redirect::temporary(&format!("/demo/{}/", path_text(&path))).into_response());
        }
    }
    if found.is_err() && path.starts_with("app/") {
        path = "app/index.html".to_owned();
        found = find(&doors, "widget-js/demo/app/index.html").await;
    }
    let mut file = found?;
    if path.ends_with(".html") {
        let key = match query.site {
            Some(key) => Some(key),
            None => first_site(&doors).await?,
        };
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        let page = String::from_utf8_lossy(&file.bytes).replace(SITE_KEY_MARK, &key);
        file = File {
            bytes: Cow::Owned(page.into_bytes()),
            gzip: None,
        };
    }
    let mut response = answer(&file, &path, Keep::Never, &headers);
    if path.starts_with("strict/") {
        security::for_strict_demo(response.headers_mut(), &line);
    } else {
        security::for_demo(response.headers_mut());
    }
    Ok(response)
}

/// The oldest site that is in use, of the oldest workspace: the demo is for trying things out.
async fn first_site(doors: &Doors) -> Answer<Option<SiteId>> {
    let workspaces = storage::workspace::list(&doors.reader).await?;
    let Some(workspace) = workspaces.into_iter().min_by_key(|workspace| workspace.id) else {
        return Ok(None);
    };
    let system = Actor {
        workspace_id: workspace.id,
        principal: Principal::System,
    };
    let scope = system.may(Permission::SitesWrite)?;
    let sites = storage::site::list(&doors.reader, &scope).await?;
    let in_use = sites.into_iter().filter(|site| !site.archived);
    Ok(in_use
        .min_by_key(|site| site.created_at_ms)
        .map(|site| site.id))
}

fn path_text(path: &str) -> String {
    percent_encoding::utf8_percent_encode(path, security::PATH).to_string()
}

/// The file at a path of the checkout.
async fn find(doors: &Doors, path: &str) -> Answer<File> {
    let is_plain = path.split('/').all(|part| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', '\0', ':'])
    });
    if !is_plain {
        return Err(ErrorCode::NotFound.into());
    }
    if let Some(root) = assets_dir(doors) {
        let place = root.join(path);
        let read = doors.world.tracker.spawn_blocking(|| std::fs::read(place));
        return match read.await {
            Ok(Ok(bytes)) => Ok(File {
                bytes: Cow::Owned(bytes),
                gzip: None,
            }),
            Ok(Err(_)) | Err(_) => Err(ErrorCode::NotFound.into()),
        };
    }
    EMBEDDED
        .iter()
        .find(|file| file.path == path)
        .map(|file| File {
            bytes: Cow::Borrowed(file.bytes),
            gzip: file.gzip,
        })
        .ok_or_else(|| Failure::from(ErrorCode::NotFound))
}

/// Where files are read from disk; nowhere in a release binary that was told nothing.
fn assets_dir(doors: &Doors) -> Option<PathBuf> {
    if let Some(root) = &doors.config.assets_dir {
        return Some(root.clone());
    }
    cfg!(debug_assertions).then(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")))
}

fn answer(file: &File, name: &str, keep: Keep, asked: &HeaderMap) -> Response {
    let tag = tag(&file.bytes);
    let mut response = if is_fresh(asked, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        content(file, asked)
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, keep.header());
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media_type(name)),
    );
    headers.insert(
        header::ETAG,
        HeaderValue::from_str(&tag).expect("hex and quotes are a header's text"),
    );
    response
}

fn content(file: &File, asked: &HeaderMap) -> Response {
    let takes_gzip = asked
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim() == "gzip" && weight.replace(' ', "") != "q=0"
        });
    match file.gzip {
        Some(gzip) if takes_gzip => (
            [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))],
            gzip,
        )
            .into_response(),
        Some(_) | None => match &file.bytes {
            Cow::Borrowed(bytes) => Body::from(*bytes).into_response(),
            Cow::Owned(bytes) => Body::from(bytes.clone()).into_response(),
        },
    }
}

fn is_fresh(asked: &HeaderMap, tag: &str) -> bool {
    asked
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| {
            value
                .split(',')
                .any(|one| one.trim().trim_start_matches("W/") == tag)
        })
}

/// A tag by content: FNV-1a over the bytes, with their number. Both codings share it, weakly: what is
/// behind it is the same.
fn tag(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("\"{:x}-{hash:016x}\"", bytes.len())
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        _ => "application/octet-stream",
    }
}
