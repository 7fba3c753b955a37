//! Set-up, signing in, cookies, CSRF and lockouts over HTTP.

use serde_json::{Value, json};

use crate::house::{House, PASSWORD, Trust, id_in, setup};
use crate::wire::{Answer, Call};

const WRONG: &str = "incorrect horse battery";

fn login(password: &str) -> Call {
    Call::post(
        "/login",
        &json!({"email": "olga@example.com", "password": password}),
    )
}

/// The cookie that an answer sets, as a browser sends it back.
fn cookie(answer: &Answer) -> String {
    let cookie = answer.header("set-cookie").expect("a cookie is set");
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn set_up_signs_in_by_cookie_and_works_once() {
    let house = House::open(Trust::Trusted).await;
    assert_eq!(
        house.ask(Call::get("/setup")).await.good(),
        json!({"done": false})
    );
    let guess = house.ask(Call::post("/setup", &setup("sbu_guess"))).await;
    assert_eq!((guess.status, guess.code().as_str()), (410, "link_invalid"));
    let token = house.desk.issue_setup_token().await.unwrap().unwrap();
    let done = house.ask(Call::post("/setup", &setup(&token))).await;
    assert_eq!(done.status, 201);
    let set = done.header("set-cookie").unwrap();
    for part in [
        "switchboard_session=sbs_",
        "HttpOnly",
        "SameSite=Lax",
        "Path=/",
    ] {
        assert!(set.contains(part), "{set}");
    }
    assert!(
        !done.body.contains("sbs_"),
        "a script must not see the secret"
    );
    let me = house
        .ask(Call::get("/me").header("cookie", &cookie(&done)))
        .await
        .good();
    assert_eq!(me["memberships"][0]["role"], "owner");
    let again = house.ask(Call::post("/setup", &setup(&token))).await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (409, "already_set_up")
    );
    assert_eq!(
        house.ask(Call::get("/setup")).await.good(),
        json!({"done": true})
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_answer_alike() {
    let house = House::open(Trust::Trusted).await;
    house.owner().await;
    let wrong = house.ask(login(WRONG)).await;
    let unknown = json!({"email": "nobody@example.com", "password": PASSWORD});
    let unknown = house.ask(Call::post("/login", &unknown)).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.body, unknown.body);
    assert!(wrong.header("set-cookie").is_none());
}

#[tokio::test]
async fn five_failures_lock_out_and_say_for_how_long() {
    let house = House::open(Trust::Stranger).await;
    let owner = house.owner().await;
    for _ in 0..5 {
        assert_eq!(house.ask(login(WRONG)).await.code(), "wrong_credentials");
    }
    let locked = house.ask(login(PASSWORD)).await;
    assert_eq!((locked.status, locked.code().as_str()), (429, "locked_out"));
    let seconds: u64 = locked.header("retry-after").unwrap().parse().unwrap();
    assert!((880..=900).contains(&seconds), "{seconds}");
    let failed = house.as_(&owner, Call::get("/failed-logins")).await.good();
    let reasons: Vec<_> = failed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["reason"].clone())
        .collect();
    assert_eq!(reasons.len(), 6);
    assert_eq!(reasons[0], "locked");
    assert_eq!(reasons[5], "wrong_password");
    assert!(!failed.to_string().contains("horse"));
}

#[tokio::test]
async fn a_failed_sign_in_is_shown_with_its_country_where_that_is_known() {
    let house = House::behind_a_proxy().await;
    let owner = house.owner().await;
    let from = |address: &str, country: &str| {
        login(WRONG)
            .header("x-forwarded-for", address)
            .header("cf-ipcountry", country)
    };
    for (address, country) in [("192.0.2.7", "SI"), ("192.0.2.8", "XX")] {
        let answer = house.ask(from(address, country)).await;
        assert_eq!(answer.code(), "wrong_credentials");
    }
    let failed = house.as_(&owner, Call::get("/failed-logins")).await.good();
    let mut shown: Vec<_> = failed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["address"].clone(), row["country"].clone()))
        .collect();
    shown.sort_by_key(|(address, _)| address.to_string());
    let wanted = [
        (json!("192.0.2.7"), json!("SI")),
        (json!("192.0.2.8"), Value::Null),
    ];
    assert_eq!(shown, wanted);
    // Who is no proxy that is trusted says nothing of where he is.
    let house = House::open(Trust::Stranger).await;
    let owner = house.owner().await;
    house.ask(from("192.0.2.7", "SI")).await.code();
    let failed = house.as_(&owner, Call::get("/failed-logins")).await.good();
    assert_eq!(failed["items"][0]["address"], "127.0.0.1");
    assert_eq!(failed["items"][0]["country"], Value::Null);
}

/// The countries of a list, newest first.
fn countries(list: &Value) -> Vec<Value> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|row| row["country"].clone()).collect()
}

#[tokio::test]
async fn where_nothing_better_says_a_country_it_is_that_of_the_browsers_time_zone() {
    let house = House::open(Trust::Trusted).await;
    let with = |mut body: Value, zone: &str| {
        body["time_zone"] = json!(zone);
        body
    };
    let token = house.desk.issue_setup_token().await.unwrap().unwrap();
    let owner = with(setup(&token), "Asia/Calcutta");
    house.ask(Call::post("/setup", &owner)).await.good();
    let login = |password: &str, zone: &str| {
        let body = json!({"email": "olga@example.com", "password": password});
        Call::post("/login?bearer=true", &with(body, zone))
    };
    // A clock is no place, and an odd browser is kept out by nothing.
    for zone in ["europe/ljubljana", "UTC", "Europe/Atlantis"] {
        house.ask(login(PASSWORD, zone)).await.good();
    }
    house.ask(login(WRONG, "Europe/Vienna")).await.code();
    let olga = house.log_in("olga@example.com").await;
    let invited = json!({"email": "ana@example.com", "role": "agent"});
    let invited = house.as_(&olga, Call::post("/invitations", &invited)).await;
    let link = id_in(&invited.good(), "link");
    let token = link.split_once("#token=").unwrap().1;
    let ana = json!({"token": token, "name": "Ana", "password": PASSWORD});
    let ana = with(ana, "America/Bogota");
    house
        .ask(Call::post("/invitations/accept", &ana))
        .await
        .good();
    let none = Value::Null;
    let own = [none.clone(), none.clone(), none, json!("SI"), json!("IN")];
    let list = async |path: &str| countries(&house.as_(&olga, Call::get(path)).await.good());
    assert_eq!(list("/sessions").await, own);
    let all = [&[json!("CO")], &own[..]].concat();
    assert_eq!(list("/sign-ins").await, all);
    assert_eq!(list("/failed-logins").await, [json!("AT")]);
    // What a trusted proxy says of the address counts before what the browser claims.
    let house = House::behind_a_proxy().await;
    let owner = house.owner().await;
    let answer = house.ask(login(WRONG, "Europe/Vienna").header("cf-ipcountry", "SI"));
    assert_eq!(answer.await.code(), "wrong_credentials");
    let failed = house.as_(&owner, Call::get("/failed-logins")).await.good();
    assert_eq!(countries(&failed), [json!("SI")]);
}

#[tokio::test]
async fn a_cookie_changes_nothing_without_origin_and_mark() {
    let house = House::open(Trust::Trusted).await;
    house.owner().await;
    let cookie = cookie(&house.ask(login(PASSWORD)).await);
    let site = json!({"name": "Blog", "allowed_origins": []});
    let call = || Call::post("/sites", &site).header("cookie", &cookie);
    let own = house.origin();
    for (forged, code) in [
        (call(), "origin_refused"),
        (call().header("switchboard-csrf", "1"), "origin_refused"),
        (call().header("origin", &own), "forbidden"),
        (
            call()
                .header("origin", &own)
                .header("switchboard-csrf", "0"),
            "forbidden",
        ),
        (
            call()
                .header("origin", "https://evil.example")
                .header("switchboard-csrf", "1"),
            "origin_refused",
        ),
        (
            call()
                .header("origin", "null")
                .header("switchboard-csrf", "1"),
            "origin_refused",
        ),
        (
            call()
                .header("sec-fetch-site", "cross-site")
                .header("switchboard-csrf", "1"),
            "origin_refused",
        ),
    ] {
        let answer = house.ask(forged.clone()).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, code),
            "{forged:?}"
        );
    }
    let sites = house
        .ask(Call::get("/sites").header("cookie", &cookie))
        .await
        .good();
    assert_eq!(
        sites["items"].as_array().unwrap().len(),
        1,
        "nothing was made"
    );
    let real = call()
        .header("origin", &own)
        .header("switchboard-csrf", "1");
    assert_eq!(house.ask(real).await.status, 201);
}

#[tokio::test]
async fn signing_out_ends_the_session_and_takes_the_cookie_away() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let cookie = cookie(&house.ask(login(PASSWORD)).await);
    let out = Call::new("POST", "/logout")
        .header("cookie", &cookie)
        .header("origin", &house.origin())
        .header("switchboard-csrf", "1");
    let answer = house.ask(out).await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    let after = house.ask(Call::get("/me").header("cookie", &cookie)).await;
    assert_eq!(
        (after.status, after.code().as_str()),
        (401, "unauthenticated")
    );
    assert_eq!(
        house.as_(&owner, Call::get("/me")).await.status,
        200,
        "others stay"
    );
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_owner() {
    let house = House::open(Trust::Trusted).await;
    let here = house.owner().await;
    let there = house.log_in("olga@example.com").await;
    let ana = house.member(&here, "ana@example.com", "agent").await;
    let list = house.as_(&there, Call::get("/sessions")).await.good();
    let rows = list["items"].as_array().unwrap();
    // Set-up itself opened one by cookie.
    assert_eq!(rows.len(), 3);
    assert_eq!(rows.iter().filter(|row| row["current"] == true).count(), 1);
    let current = rows.iter().find(|row| row["current"] == true).unwrap();
    let path = format!("/sessions/{}", current["id"].as_str().unwrap());
    let foreign = house.as_(&ana, Call::delete(&path)).await;
    assert_eq!(
        (foreign.status, foreign.code().as_str()),
        (404, "not_found")
    );
    assert_eq!(house.as_(&here, Call::delete(&path)).await.status, 204);
    assert_eq!(
        house.as_(&there, Call::get("/me")).await.code(),
        "unauthenticated"
    );
}

#[tokio::test]
async fn a_new_password_follows_the_rules_and_ends_other_sessions() {
    let house = House::open(Trust::Trusted).await;
    let here = house.owner().await;
    let there = house.log_in("olga@example.com").await;
    let change = |current: &str, new: &str| {
        Call::post("/password", &json!({"current": current, "new": new}))
    };
    let wrong = house.as_(&here, change(WRONG, "a wholly new phrase")).await;
    assert_eq!(wrong.code(), "wrong_credentials");
    let weak = house.as_(&here, change(PASSWORD, "password1234")).await;
    assert_eq!((weak.status, weak.code().as_str()), (422, "password_weak"));
    let done = house
        .as_(&here, change(PASSWORD, "a wholly new phrase"))
        .await;
    assert_eq!(done.status, 204);
    assert_eq!(
        house.as_(&there, Call::get("/me")).await.code(),
        "unauthenticated"
    );
    assert_eq!(house.as_(&here, Call::get("/me")).await.status, 200);
}

#[tokio::test]
async fn an_invitation_is_shown_once_used_once_and_void_when_revoked() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let new = json!({"email": "ana@example.com", "role": "agent"});
    let made = house.as_(&owner, Call::post("/invitations", &new)).await;
    assert_eq!(made.status, 201);
    let link = made.json()["link"].as_str().unwrap().to_owned();
    assert!(
        link.starts_with(&format!("{}/console/join#token=sbv_", house.origin())),
        "{link}"
    );
    let listed = house.as_(&owner, Call::get("/invitations")).await.good();
    assert!(listed["items"][0].get("link").is_none());
    let token = link.split_once('=').unwrap().1;
    let lookup = Call::post("/invitations/lookup", &json!({"token": token}));
    let offer = house.ask(lookup.clone()).await.good();
    assert_eq!(offer["has_account"], false);
    let accept = json!({"token": token, "name": "Ana", "password": PASSWORD});
    let accepted = house.ask(Call::post("/invitations/accept", &accept)).await;
    assert_eq!(accepted.status, 200);
    assert!(accepted.header("set-cookie").is_some());
    for used in [Call::post("/invitations/accept", &accept), lookup] {
        let answer = house.ask(used).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (410, "link_invalid")
        );
    }
    let new = json!({"email": "bob@example.com", "role": "agent"});
    let made = house
        .as_(&owner, Call::post("/invitations", &new))
        .await
        .good();
    let path = format!("/invitations/{}", made["id"].as_str().unwrap());
    assert_eq!(house.as_(&owner, Call::delete(&path)).await.status, 204);
    let token = made["link"].as_str().unwrap().split_once('=').unwrap().1;
    let accept = json!({"token": token, "name": "Bob", "password": PASSWORD});
    let revoked = house.ask(Call::post("/invitations/accept", &accept)).await;
    assert_eq!(revoked.code(), "link_invalid");
}

#[tokio::test]
async fn a_socket_token_is_for_members_and_not_for_keys() {
    let house = House::open(Trust::Trusted).await;
    let owner = house.owner().await;
    let token = house
        .as_(&owner, Call::new("POST", "/socket-token"))
        .await
        .good();
    assert!(token["token"].as_str().unwrap().starts_with("v1."));
    let key = house.key(&owner, &["conversations.read"]).await;
    let refused = house
        .ask(Call::new("POST", "/socket-token").bearer(&key))
        .await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "forbidden")
    );
}
