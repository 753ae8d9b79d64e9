//! Search in the languages of its users: what is found, and what is another word.

use nudge_test_kit::http::Answer;
use serde_json::{Value, json};

use super::{relay, titles};
use crate::support::{Caller, Service, Setup, json, text};

/// A title, queries that find it, and queries that find nothing.
const TITLES: &[(&str, &[&str], &[&str])] = &[
    // German
    (
        "Müllgebühr für die Königstraße überweisen",
        &["mullgebuhr", "KÖNIGSTRASSE", "königstraße uberw", "Mu\u{308}ll"],
        &["gebühr", "Konigsberg"],
    ),
    // French
    (
        "Réserver l’hôtel à Orléans, chambre côté cour",
        &["hotel orleans", "HÔTEL", "reserver chambre", "cote\u{301}"],
        &["otel", "côtés"],
    ),
    // Greek
    (
        "Πληρωμή ενοικίου, οδός Ερμού",
        &["πληρωμη", "ΕΝΟΙΚΙΟΥ", "οδοσ", "οδος ερμου"],
        &["ενοίκιο ερμής", "οδο πληρωμη"],
    ),
    // Russian
    (
        "Забрать ёлку и мой заказ",
        &["елку", "ЁЛКУ", "мой", "за\u{301}каз", "МОЙ ЁЛ"],
        &["мои", "казак"],
    ),
    // Ukrainian
    (
        "Купити їжу та м’яту",
        &["їжу", "м'яту", "м\u{2bc}яту", "ЇЖУ"],
        &["іжу", "йжу"],
    ),
    // Hebrew
    ("לִקְנוֹת חָלָב ולחם", &["לקנות", "חלב", "חָלָב", "ולחמ לקנות"], &["לב"]),
    // Arabic
    (
        "اتصل بالمُدَرِّس أحمد في المدرسة",
        &["المدرس", "احمد", "أحمد", "المدرسه", "المـدرسة", "آحمد"],
        &["محمد", "درس"],
    ),
    // Persian
    (
        "کتاب\u{200c}های خوب را می\u{200c}خوانم",
        &["كتاب", "کتابهای", "کتاب\u{200c}های", "کتاب خوب", "میخوانم"],
        &["کباب", "خوانده"],
    ),
    // Hindi
    (
        "दान का दिन, हिन्दी में",
        &["दान", "दिन", "दि", "हिन्दी"],
        &["दून", "दीन", "दन", "हन्दी"],
    ),
    // Tamil
    ("கல் வாங்கு", &["கல்", "வாங்கு", "வா"], &["கால்", "வங்கு"]),
    // Bengali
    ("কাল বাজার", &["কাল", "বাজার"], &["কল", "বজর"]),
    // Thai
    (
        "ซื้อมะม่วงกับข้าวที่ตลาด",
        &["มะม่วง", "ข้าว", "ตลาด", "ซื้อมะม่วง", "ข้าว ตลาด"],
        &["ข่าว", "ขาว", "มะนาว", "ตลาดมะม่วง"],
    ),
    // Lao, Khmer, Burmese
    ("ໄປຊື້ເຂົ້າຢູ່ຕະຫຼາດ", &["ຕະຫຼາດ", "ເຂົ້າ"], &["ເຂົາ"]),
    ("ទៅផ្សារ\u{200b}ទិញបាយ", &["ផ្សារ", "ទិញ", "ផ្សារទិញ"], &["បាយទិញ"]),
    ("ဈေးသွားမယ်", &["သွား", "ဈေး"], &["သွယ်"]),
    // Japanese
    (
        "東京と京都のガイドを買う",
        &[
            "東京",
            "京都",
            "ガイド",
            "ｶﾞｲﾄﾞ",
            "がいど",
            "買",
            "京都のガイドを買う",
            "カ\u{3099}イト\u{3099}",
        ],
        &["東京都", "カイド", "京東", "ガイドの京都"],
    ),
    (
        "コピー機のかぎを返す",
        &["かぎ", "ｺﾋﾟｰ", "コピー機"],
        &["かき", "がき", "コヒー"],
    ),
    // Chinese
    (
        "明天下午三点去银行，买iPhone15手机壳",
        &[
            "银行",
            "下午三点",
            "手机",
            "iphone15",
            "买iPhone",
            "行",
            "ＩＰＨＯＮＥ15手机壳",
            "明天 银行",
        ],
        &["三点银行", "行银", "phone", "下午买"],
    ),
    (
        "月曜日13時に会議",
        &["13時", "13", "会議", "月曜 会議"],
        &["3時", "1月", "日時"],
    ),
    // Korean
    (
        "학교에서 한국어 숙제를 한다",
        &[
            "학교",
            "한국어",
            "숙제",
            "학교 숙제",
            "\u{1112}\u{1161}\u{11a8}\u{1100}\u{116d}",
        ],
        &["하", "교에서", "한국어를"],
    ),
    // Turkish
    (
        "ISPARTA’da gül, İstanbul’da çay",
        &["ısparta", "isparta", "istanbul", "İSTANBUL", "gul", "cay"],
        &["stanbul"],
    ),
    // Vietnamese
    (
        "Đặt bàn ăn phở ở Hà Nội",
        &["dat ban", "pho", "PHỞ", "ha noi", "a\u{306}n"],
        &["phố đi", "nội thất"],
    ),
    // Polish and Danish
    (
        "Łódź: kupić żurek, æbler på Ærø",
        &["lodz", "zurek", "ÆBLER", "aero", "kupic"],
        &["odz"],
    ),
    // Digits of a script of their own
    ("الفاتورة رقم ٤٢", &["42", "٤٢", "۴۲"], &["24"]),
];

/// `%`-encodes a text for a query string.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

async fn found(alice: &Caller<'_>, query: &str) -> Vec<String> {
    let path = format!("/api/v1/tasks/search?query={}", encoded(query));
    let page = json(&alice.get(&path).await, 200);
    let path = format!("/api/v1/tasks?text={}", encoded(query));
    let list = json(&alice.get(&path).await, 200);
    assert_eq!(titles(&list), titles(&page), "{query}");
    titles(&page).into_iter().map(str::to_owned).collect()
}

/// On either database, and for tasks that are among the newest as for older ones.
pub(crate) async fn languages(api: &Service, user: &str) {
    let alice = api.user(user);
    for (title, _, _) in TITLES {
        api.pass(1);
        alice.create("/api/v1/tasks", &json!({ "title": title })).await;
    }
    for (title, queries, others) in TITLES {
        for query in *queries {
            assert_eq!(found(&alice, query).await, [*title], "{query}");
        }
        for query in *others {
            assert_eq!(found(&alice, query).await, [""; 0], "{query} is not in {title}");
        }
    }
    // Behind so many newer tasks that the index is asked.
    let filler = (0..100).map(|number| json!({ "op": "create", "task": { "title": format!("x{number}") } }));
    let filler = json!({ "operations": filler.collect::<Vec<_>>() });
    for _ in 0..3 {
        json(&alice.post("/api/v1/tasks/bulk", &filler).await, 200);
    }
    for (title, queries, others) in TITLES {
        for query in queries.iter().take(2) {
            assert_eq!(found(&alice, query).await, [*title], "{query}");
        }
        for query in others.iter().take(2) {
            assert_eq!(found(&alice, query).await, [""; 0], "{query} is not in {title}");
        }
    }
}

#[tokio::test]
async fn words_of_every_language_are_found_and_others_are_not() {
    // More tasks than a user may create in a minute.
    let api = Setup::new("api")
        .variable("rate_limit_per_minute", "0")
        .start()
        .await;
    languages(&api, "alice").await;
}

#[tokio::test]
async fn pages_of_a_text_without_spaces_follow_each_other() {
    let api = Service::start("api").await;
    spaceless_pages(&api, "alice").await;
}

/// On either database.
pub(crate) async fn spaceless_pages(api: &Service, user: &str) {
    let alice = api.user(user);
    let mut expected = Vec::new();
    for hundred in 0..2 {
        let tasks = (0..100).map(|number| {
            let number = hundred * 100 + number;
            json!({ "op": "create", "task": { "title": format!("第{number}回の会議"), "description": "東京都庁で" } })
        });
        let body = json!({ "operations": tasks.collect::<Vec<_>>() });
        json(&alice.post("/api/v1/tasks/bulk", &body).await, 200);
        expected.extend((0..100).map(|number| format!("第{}回の会議", hundred * 100 + number)));
    }
    expected.reverse();
    for (query, expected) in [
        ("会議", expected.clone()),
        ("回の会議", expected.clone()),
        ("会", expected.clone()),
        ("会議 都庁", expected.clone()),
        ("京都庁で", expected),
        ("第17回の会議", vec!["第17回の会議".to_owned()]),
    ] {
        for list in ["/api/v1/tasks/search?query=", "/api/v1/tasks?text="] {
            let path = format!("{list}{}&limit=70", encoded(query));
            let mut page = json(&alice.get(&path).await, 200);
            let mut found: Vec<String> = titles(&page).into_iter().map(str::to_owned).collect();
            while let Some(cursor) = page["nextCursor"].as_str() {
                page = json(&alice.get(&format!("{path}&cursor={cursor}")).await, 200);
                found.extend(titles(&page).into_iter().map(str::to_owned));
            }
            assert_eq!(found, expected, "{query} {list}");
        }
    }
}

#[tokio::test]
async fn the_longest_texts_and_queries_are_stored_and_looked_up() {
    let api = Service::start("api").await;
    longest(&api, "alice").await;
}

/// On either database.
pub(crate) async fn longest(api: &Service, user: &str) {
    let alice = api.user(user);
    let title: String = ('一'..).take(200).collect();
    let ideographs: String = ('\u{20000}'..).take(10_000).collect();
    // Each is a word of four letters or more when it is spelled out.
    let words: String = ('\u{3300}'..='\u{3357}').cycle().take(10_000).collect();
    let thai = "ซื้อมะม่วงกับข้าวที่ตลาด".repeat(400);
    for description in [ideographs.as_str(), &words, &thai] {
        let task = json!({ "title": title, "description": description });
        alice.create("/api/v1/tasks", &task).await;
    }
    let middle: String = ideographs.chars().skip(5_000).take(200).collect();
    let spaced: String = title
        .chars()
        .enumerate()
        .flat_map(|(index, letter)| [Some(letter), (index % 20 == 19).then_some(' ')])
        .flatten()
        .take(199)
        .collect();
    // However long the words before it are, the last one counts.
    let other: String = title.chars().take(190).chain(" ない".chars()).collect();
    for (query, hits) in [
        (title.as_str(), 3),
        (&middle, 1),
        (&spaced, 3),
        (&other, 0),
        ("ข้าวที่ตลาดซื้อ", 1),
        ("アパート", 1),
    ] {
        assert_eq!(found(&alice, query).await.len(), hits, "{query}");
    }
}

/// Takes tasks back to what an older version wrote: points and vowel signs left out, and no term inside of a run.
pub(crate) const AS_BEFORE: &str = "UPDATE task SET terms = ' ' || SUBSTR(terms, 3, 7) || 'दन ' || SUBSTR(terms, 3, 7) || '東京都の天気 ' WHERE title LIKE '%old%'";

/// Tasks that the older version stored: found as it found them, and after the relay as this version does.
pub(crate) async fn refreshed(api: &Service, user: &str, sql: impl AsyncFn(&str)) {
    let alice = api.user(user);
    alice
        .create("/api/v1/tasks", &json!({ "title": "old दिन 東京都の天気" }))
        .await;
    let gone = alice
        .create("/api/v1/tasks", &json!({ "title": "old दिन" }))
        .await;
    assert_eq!(
        alice
            .delete(&format!("/api/v1/tasks/{}", text(&gone, "id")))
            .await
            .status,
        204
    );
    alice
        .create("/api/v1/tasks", &json!({ "title": "new दिन 天気" }))
        .await;
    sql(AS_BEFORE).await;
    assert_eq!(found(&alice, "दिन").await, ["new दिन 天気"]);
    assert_eq!(found(&alice, "天気").await, ["new दिन 天気"]);
    assert_eq!(found(&alice, "東京").await, ["old दिन 東京都の天気"]);
    let before = json(&alice.get("/api/v1/changes?since=now").await, 200);

    relay(api).await;
    let alice = api.user(user);
    for query in ["दिन", "天気"] {
        assert_eq!(
            found(&alice, query).await,
            ["new दिन 天気", "old दिन 東京都の天気"],
            "{query}"
        );
    }
    assert_eq!(found(&alice, "दन").await, [""; 0]);
    let path = format!("/api/v1/changes?since={}", text(&before, "next"));
    let after = json(&alice.get(&path).await, 200);
    assert_eq!(after["items"], json!([]), "other terms are no change of a task");
}

#[tokio::test]
async fn what_an_older_replica_stores_during_an_upgrade_is_found_after_the_relay_ran() {
    let api = Service::start("api").await;
    refreshed(&api, "alice", async |statement: &str| api.sql(statement)).await;
}

#[tokio::test]
async fn tasks_from_before_the_upgrade_are_found_from_the_first_request_on() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    alice
        .create("/api/v1/tasks", &json!({ "title": "old दिन 東京都の天気" }))
        .await;
    alice
        .create(
            "/api/v1/tasks",
            &json!({ "title": "Ärger", "description": "über" }),
        )
        .await;
    api.sql(AS_BEFORE);
    api.sql("DROP INDEX task_with_old_terms");
    api.sql("DELETE FROM schema_migration WHERE number >= 8");

    let api = api.start_again().await;
    let alice = api.user("alice");
    for query in ["दिन", "天気", "東京"] {
        assert_eq!(found(&alice, query).await, ["old दिन 東京都の天気"], "{query}");
    }
    assert_eq!(found(&alice, "arger uber").await, ["Ärger"]);
}

/// What MCP clients find is the same.
#[tokio::test]
async fn a_description_is_searched_as_a_title_is() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (title, description) in [("a", "明天去银行"), ("银行", ""), ("b", "दिन"), ("दान", "")]
    {
        api.pass(1);
        let task = json!({ "title": title, "description": description });
        let answer: Answer = alice.post("/api/v1/tasks", &task).await;
        let _: Value = json(&answer, 201);
    }
    assert_eq!(found_in_order(&alice, "银行").await, ["银行", "a"]);
    assert_eq!(found_in_order(&alice, "दिन").await, ["b"]);
    assert_eq!(found_in_order(&alice, "दान").await, ["दान"]);
}

async fn found_in_order(alice: &Caller<'_>, query: &str) -> Vec<String> {
    let path = format!("/api/v1/tasks/search?query={}", encoded(query));
    let page = json(&alice.get(&path).await, 200);
    titles(&page).into_iter().map(str::to_owned).collect()
}
