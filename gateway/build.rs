//! Puts the built web apps into release binaries: every file with its tag and, where that helps, its
//! gzip. A debug build puts nothing in and reads the checkout instead; a missing build of the apps is
//! no error, so that `cargo check` needs none.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// Folders of the checkout, as `http::asset` knows them.
const FOLDERS: &[&str] = &["widget-js/dist", "widget-js/demo", "console/dist"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let mut table = String::from("&[\n");
    if std::env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        let root = PathBuf::from(
            std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"),
        )
        .join("..");
        for folder in FOLDERS {
            let path = root.join(folder);
            // A folder that does not exist yet is watched through the one above it.
            let watched = if path.exists() {
                path.clone()
            } else {
                root.join(folder.split('/').next().expect("a path has a first part"))
            };
            println!("cargo::rerun-if-changed={}", watched.display());
            add_folder(&path, folder, &out, &mut table);
        }
    }
    table.push_str("]\n");
    fs::write(out.join("assets.rs"), table).expect("OUT_DIR can be written");
}

fn add_folder(path: &Path, name: &str, out: &Path, table: &mut String) {
    let Ok(entries) = fs::read_dir(path) else {
        return;
    };
    let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let file_name = entry.file_name();
        let file_name = file_name.to_string_lossy();
        let inner = format!("{name}/{file_name}");
        if file_name.starts_with('.') {
            continue;
        }
        if entry.path().is_dir() {
            add_folder(&entry.path(), &inner, out, table);
        } else {
            add_file(&entry.path(), &inner, out, table);
        }
    }
}

fn add_file(path: &Path, name: &str, out: &Path, table: &mut String) {
    let bytes = fs::read(path).expect("a file that was just listed can be read");
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(&bytes)
        .and_then(|()| encoder.try_finish())
        .expect("compressing into memory does not fail");
    let packed = encoder.finish().expect("the encoder is finished");
    let number = table.lines().count();
    // A copy, because the apps may be built anew before the compiler reads it.
    let plain = out.join(format!("asset-{number}"));
    fs::write(&plain, &bytes).expect("OUT_DIR can be written");
    let gzip = if packed.len() + 64 < bytes.len() {
        let file = out.join(format!("asset-{number}.gz"));
        fs::write(&file, packed).expect("OUT_DIR can be written");
        format!("Some(include_bytes!({file:?}))")
    } else {
        "None".to_owned()
    };
    writeln!(
        table,
        "    Embedded {{ path: {name:?}, bytes: include_bytes!({plain:?}), gzip: {gzip} }},"
    )
    .expect("writing to a string does not fail");
}
