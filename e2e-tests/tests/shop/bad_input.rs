//! Whatever a client sends wrongly: a problem that names the field, and nothing has happened.

use crate::{
    client::{Answer, items},
    request::{tea, with},
    shop::Shop,
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const UNKNOWN: &str = "00000000000000000000000000000000";

/// Nobody ordered, nothing moved, nobody panicked, nothing was answered with an internal error.
async fn nothing_has_happened(shop: &Shop) {
    assert_eq!(shop.client.read("/orders").await, json!({ "items": [], "next": null }));
    assert_eq!(shop.client.read("/gateway/ledger").await["entries"], json!([]));
    for row in items(shop.client.read("/stock").await, "items") {
        assert!(row["on_hand"] == row["replenished"] && row["reserved"] == 0, "{row}");
    }
    assert_eq!(shop.client.stock("TIN-001").await["replenished"], 20);
    let ready = shop.client.read("/health/ready").await;
    assert!(ready["services"].as_array().unwrap().iter().all(|service| service["parked"] == 0), "{ready}");
    let log = shop.log();
    assert!(!log.contains("panic") && !log.contains("\"ERROR\""), "{log}");
}

/// Orders that differ from a good one in one place: (where, what, the field that the problem names).
fn wrong_orders() -> Vec<(&'static str, Value, &'static str)> {
    let line = || json!({ "sku": "TEA-001", "quantity": 1 });
    let texts: &[(&str, &[&str], &str)] = &[
        ("/customer_id", &["", "a b", "a/b", "../x", "ä", "c\r\nX: y", "c\u{0}"], "customer_id"),
        (
            "/email",
            &["", "nobody", "a@b\r\nBcc: x@y.example", "a@b\n", "a@b,c@d", "A <a@b>", "a\u{0}@b", "@", "a@b@c"],
            "email",
        ),
        ("/phone", &["", "030", "+49 30", "+49301234567\r\n", "+"], "phone"),
        (
            "/shipping_address/name",
            &["", "  ", "A\r\nB", "A\nB", "A\u{0}", "A\u{1b}[2J", "A\u{85}"],
            "shipping_address.name",
        ),
        ("/shipping_address/street", &["", "S\r", "S\t1"], "shipping_address.street"),
        ("/shipping_address/city", &["", "\u{7f}"], "shipping_address.city"),
        ("/shipping_address/postal_code", &["", "1\n2"], "shipping_address.postal_code"),
        ("/shipping_address/country", &["", "D", "de", "DEU", "D1", "ÄÖ", "D\n"], "shipping_address.country"),
        ("/payment_token", &["", "tok ok", "tok_ok\r\n", "tök"], "payment_token"),
    ];
    let mut wrong: Vec<(&str, Value, &str)> = vec![];
    for (at, values, field) in texts {
        wrong.extend(values.iter().map(|value| (*at, json!(value), *field)));
        wrong.extend([json!(7), json!(["x"]), json!({}), json!(true)].map(|value| (*at, value, *field)));
    }
    let quantities = [
        json!(0),
        json!(-1),
        json!(1001),
        json!(9_223_372_036_854_775_807_i64),
        json!(9_223_372_036_854_775_808_u64),
        json!(-9_223_372_036_854_775_808_i64),
        json!(1.5),
        json!(1e300),
        json!("2"),
        Value::Null,
    ];
    wrong.extend(quantities.map(|value| ("/lines/0/quantity", value, "lines[0].quantity")));
    wrong.extend([json!(null), json!(1), json!([])].map(|value| ("/lines/0/sku", value, "lines[0].sku")));
    wrong.extend([
        ("/lines", json!([]), "lines"),
        ("/lines", json!(vec![line(); 51]), "lines"),
        ("/lines", json!({}), "lines"),
        ("/lines", Value::Null, "lines"),
        ("/lines/0", json!([]), "lines[0]"),
        ("/lines/0", json!(5), "lines[0]"),
        ("/lines/0", json!({ "sku": "TEA-001" }), "lines[0].quantity"),
        ("/lines/0", json!({ "sku": "TEA-001", "quantity": 1, "gift": true }), "lines[0].gift"),
        ("/shipping_address", Value::Null, "shipping_address"),
        ("/shipping_address", json!({}), "shipping_address.name"),
        ("/customer_id", json!("c".repeat(65)), "customer_id"),
        ("/email", json!(format!("{}@example.com", "a".repeat(250))), "email"),
        ("/shipping_address/name", json!("n".repeat(201)), "shipping_address.name"),
        ("/payment_token", json!("t".repeat(101)), "payment_token"),
    ]);
    wrong
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_named() {
    let shop = Shop::open(&[]).await;
    for (at, value, field) in wrong_orders() {
        let answer = shop.client.place("k-1", &with(tea("ada"), at, value.clone())).await;
        assert_eq!(answer.problem(400)["field"], field, "{at} {value}");
        assert!(!answer.body.contains("Bcc") && !answer.body.contains("\\u001b"), "{at} {value}: {answer:?}");
    }
    for member in ["customer_id", "email", "lines", "shipping_address", "payment_token"] {
        let mut lacking = tea("ada");
        lacking.as_object_mut().unwrap().remove(member);
        assert_eq!(shop.client.place("k-1", &lacking).await.problem(400)["field"], member);
    }
    let mut unknown = tea("ada");
    unknown["coupon"] = json!("FREE");
    assert_eq!(shop.client.place("k-1", &unknown).await.problem(400)["field"], "coupon");
    for sku in ["TEA-999", "", "tea-001", "TEA-001 ", "'; DROP TABLE log; --", "\u{0}"] {
        let answer = shop.client.place("k-1", &with(tea("ada"), "/lines/0/sku", sku)).await;
        assert_eq!(answer.problem(422)["field"], "lines[0].sku", "{sku:?}");
    }
    nothing_has_happened(&shop).await;
    // And the key is not used up by all that.
    shop.client.place("k-1", &tea("ada")).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_order_at_all_is_refused() {
    let shop = Shop::open(&[]).await;
    let send = async |body: Vec<u8>, kind: &str| {
        let request = shop.client.request(Method::POST, "/orders").header("Idempotency-Key", "k-1");
        shop.client.send(request.header("Content-Type", kind).body(body)).await
    };
    let good = tea("ada").to_string();
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let malformed: [&[u8]; 10] = [
        b"",
        b"{",
        b"nonsense",
        b"null",
        b"[]",
        b"\"x\"",
        b"{\"a\":}",
        &[0xff, 0xfe],
        &good.as_bytes()[..50],
        deep.as_bytes(),
    ];
    for body in malformed {
        send(body.to_vec(), JSON.1).await.problem(400);
    }
    for body in
        [format!("{good} {good}"), format!("\u{feff}{good}"), good.replace("Ada", "\u{1}"), good.replace(":2,", ":02,")]
    {
        send(body.into_bytes(), JSON.1).await.problem(400);
    }
    let twice = good.replacen('{', "{\"email\":\"x@example.com\",", 1);
    assert_eq!(send(twice.into_bytes(), JSON.1).await.problem(400)["field"], "email");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
        assert_eq!(send(good.clone().into_bytes(), kind).await.problem(415)["field"], "Content-Type", "{kind}");
    }
    let sized = |size: usize| format!("{good}{}", " ".repeat(size - good.len())).into_bytes();
    send(sized(65_537), JSON.1).await.problem(413);
    for size in [1 << 20, 8 << 20] {
        let request = shop.client.request(Method::POST, "/orders").header("Idempotency-Key", "k-1");
        // The shop hangs up on a client that goes on sending: it may hear why, or not.
        if let Ok(answer) = shop.client.try_send(request.header("Content-Type", JSON.1).body(sized(size))).await {
            answer.problem(413);
        }
    }
    nothing_has_happened(&shop).await;
    send(sized(65_536), JSON.1).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_idempotency_key_is_refused() {
    let shop = Shop::open(&[]).await;
    let long = "k".repeat(256);
    for path in ["/orders", "/stock/TEA-001/replenishments"] {
        let body = if path == "/orders" { tea("ada") } else { json!({ "quantity": 1 }) };
        let post = || shop.client.request(Method::POST, path).json(&body);
        let wrong: [&[u8]; 6] = [b"", b"two words", "ä".as_bytes(), &[0x80, 0xff], b"tab\there", long.as_bytes()];
        for key in wrong {
            let answer = shop.client.send(post().header("Idempotency-Key", key)).await;
            assert_eq!(answer.problem(400)["field"], "Idempotency-Key", "{key:?}");
        }
        let answers = [post(), post().header("Idempotency-Key", "a").header("Idempotency-Key", "b")];
        for request in answers {
            assert_eq!(shop.client.send(request).await.problem(400)["field"], "Idempotency-Key");
        }
    }
    nothing_has_happened(&shop).await;
    shop.client.place(&long[..255], &tea("ada")).await.expect(202);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_and_paths_are_named() {
    let shop = Shop::open(&[]).await;
    let get = async |path: &str| shop.client.get(path).await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("state=lost", "state"),
        ("state=", "state"),
        ("after=x", "after"),
        ("after=", "after"),
        ("after=%00", "after"),
        ("after=9223370267983730129-zz", "after"),
        ("customer_id=a%20b", "customer_id"),
        ("customer_id=", "customer_id"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
    ] {
        assert_eq!(get(&format!("/orders?{query}")).await.problem(400)["field"], field, "{query}");
    }
    for (query, field) in [
        ("wait=forever", "wait"),
        ("wait=", "wait"),
        ("timeout_s=61", "timeout_s"),
        ("timeout_s=-1", "timeout_s"),
        ("timeout_s=1.5", "timeout_s"),
        ("timeout_s=soon", "timeout_s"),
        ("timeout_s=18446744073709551616", "timeout_s"),
        ("Wait=settled", "Wait"),
    ] {
        assert_eq!(get(&format!("/orders/{UNKNOWN}?{query}")).await.problem(400)["field"], field, "{query}");
    }
    for (path, field) in [
        ("/gateway/ledger?limit=0", "limit"),
        ("/gateway/ledger?limit=1001", "limit"),
        ("/mailbox?after=x", "after"),
        ("/mailbox?to=a", "to"),
        ("/carrier/parcels?limit=-1", "limit"),
    ] {
        assert_eq!(get(path).await.problem(400)["field"], field, "{path}");
    }
    let long = "x".repeat(4000);
    for id in [UNKNOWN, "1", "x", "%00", "%0d%0aX:y", "..%2f..", "ORDER", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB", &long] {
        for path in
            [format!("/orders/{id}"), format!("/orders/{id}?wait=settled&timeout_s=60"), format!("/orders/{id}/events")]
        {
            assert_eq!(get(&path).await.problem(404)["reason"], "unknown_order", "{path}");
        }
        shop.client.cancel(id).await.problem(404);
    }
    for path in ["/orders/%ff", "/orders/%ff/events"] {
        get(path).await.problem(400);
    }
    for path in
        ["/", "/order", "/orders/", "/orders/x/y", "/stock/TEA-001", "/stock/NOTHING/events", "/metrics/x", "/Orders"]
    {
        get(path).await.problem(404);
    }
    nothing_has_happened(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_method_hears_what_is_right() {
    let shop = Shop::open(&[]).await;
    for (method, path, allowed) in [
        ("DELETE", "/orders", "GET,HEAD,POST"),
        ("PUT", "/orders/x", "GET,HEAD"),
        ("DELETE", "/orders/x", "GET,HEAD"),
        ("GET", "/orders/x/cancellation", "POST"),
        ("POST", "/orders/x/events", "GET,HEAD"),
        ("POST", "/products", "GET,HEAD"),
        ("PATCH", "/stock", "GET,HEAD"),
        ("GET", "/stock/TEA-001/replenishments", "POST"),
        ("POST", "/gateway/ledger", "GET,HEAD"),
        ("DELETE", "/mailbox", "GET,HEAD"),
        ("POST", "/health/ready", "GET,HEAD"),
        ("BREW", "/metrics", "GET,HEAD"),
        ("PUT", "/world", "GET,HEAD,PATCH"),
        ("OPTIONS", "/openapi.json", "GET,HEAD"),
    ] {
        let answer = shop.client.send(shop.client.request(Method::from_bytes(method.as_bytes()).unwrap(), path)).await;
        answer.problem(405);
        let mut told: Vec<&str> = answer.header("allow").split(',').collect();
        told.sort_unstable();
        assert_eq!(told.join(","), allowed, "{method} {path}");
    }
    nothing_has_happened(&shop).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_deliveries_and_cancellations_are_refused() {
    let shop = Shop::open(&[]).await;
    let deliver = |body: Value| {
        let client = shop.client.clone();
        async move { client.post("/stock/TIN-001/replenishments", Some("d-1"), &body).await }
    };
    for quantity in [
        json!(0),
        json!(-1),
        json!(1_000_001),
        json!(9_223_372_036_854_775_808_u64),
        json!(1.5),
        json!("1"),
        json!(null),
    ] {
        assert_eq!(deliver(json!({ "quantity": quantity })).await.problem(400)["field"], "quantity", "{quantity}");
    }
    assert_eq!(deliver(json!({})).await.problem(400)["field"], "quantity");
    assert_eq!(deliver(json!({ "quantity": 1, "sku": "x" })).await.problem(400)["field"], "sku");
    for sku in ["NOTHING", "%00", "tin-001"] {
        let path = format!("/stock/{sku}/replenishments");
        shop.client.post(&path, Some("d-1"), &json!({ "quantity": 1 })).await.problem(404);
    }
    let cancel = async |body: Value| shop.client.post(&format!("/orders/{UNKNOWN}/cancellation"), None, &body).await;
    for (body, field) in [
        (json!({ "reason": 1 }), "reason"),
        (json!({ "reason": "x".repeat(501) }), "reason"),
        (json!({ "why": "x" }), "why"),
    ] {
        assert_eq!(cancel(body.clone()).await.problem(400)["field"], field, "{body}");
    }
    nothing_has_happened(&shop).await;
}

/// Says something that no HTTP client would, and hears what comes back until the shop hangs up.
async fn raw(shop: &Shop, said: &[u8]) -> String {
    let address = shop.client.address().unwrap();
    let mut stream = TcpStream::connect(address.trim_start_matches("http://")).await.unwrap();
    // The shop may hang up before it has heard all.
    _ = stream.write_all(said).await;
    _ = stream.shutdown().await;
    let mut heard = vec![];
    _ = stream.read_to_end(&mut heard).await;
    String::from_utf8_lossy(&heard).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_harms_nobody() {
    let shop = Shop::open(&[]).await;
    let good = tea("ada").to_string();
    let head = |length: usize| {
        let names = "Host: x\r\nContent-Type: application/json\r\nIdempotency-Key: k-1";
        format!("POST /orders HTTP/1.1\r\n{names}\r\nContent-Length: {length}\r\n")
    };
    let cut_off = format!("{}\r\n{}", head(good.len()), &good[..good.len() / 2]);
    let many = format!("GET /orders HTTP/1.1\r\n{}\r\n", "X-Header: y\r\n".repeat(5000));
    let two_lengths = format!("{}Content-Length: 5\r\n\r\n{good}", head(good.len()));
    let no_length = head(0).replace("Content-Length: 0", "Content-Length: all");
    let chunks = head(0).replace("Content-Length: 0", "Transfer-Encoding: chunked") + "\r\nzz\r\n{}\r\n";
    let cases: [&[u8]; 9] = [
        b"",
        b"\0\0\0\0",
        b"HELO shop\r\n\r\n",
        b"GET /orders\r\n\r\n",
        cut_off.as_bytes(),
        many.as_bytes(),
        two_lengths.as_bytes(),
        no_length.as_bytes(),
        chunks.as_bytes(),
    ];
    for case in cases {
        let heard = raw(&shop, case).await;
        assert!(!heard.contains(" 202 ") && !heard.contains(" 500 "), "{:?}: {heard}", String::from_utf8_lossy(case));
    }
    nothing_has_happened(&shop).await;
    let told: Answer = shop.client.place("k-1", &tea("ada")).await;
    told.expect(202);
}
