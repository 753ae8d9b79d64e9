//! Signing in, and out.

use tempfile::TempDir;

use crate::program::Program;
use crate::provider::Provider;
use crate::webdriver::Browser;

/// What the API's tokens are for.
const AUDIENCE: &str = "https://nudge.example.com/api";

/// Shows who is signed in.
const WHOAMI: &str = ".whoami bdi";
const SIGN_OUT: &str = ".whoami [aria-label='Sign out']";
const SIGN_IN: &str = ".sign-card .btn.primary";
/// Where the page takes input.
const INPUT: &str = "main form input, main form textarea";

fn system(variables: &[&str]) -> (TempDir, Program) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Program::start_with(folder.path(), variables);
    (folder, program)
}

fn system_of(provider: &Provider) -> (TempDir, Program, String) {
    let says = &provider.says;
    let variables = [
        format!("oidc_issuer={}", says.issuer),
        format!("oidc_client_id={}", says.client_id),
        format!("oidc_audience={AUDIENCE}"),
        format!("jwks_url={}", says.jwks_uri),
        format!("jwks_host={}", says.issuer),
        format!("jwt_issuer={}", says.issuer),
        format!("jwt_audience={AUDIENCE}"),
        "rate_limit_per_minute=0".to_owned(),
    ];
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    let (folder, program) = system(&variables);
    let url = format!("http://{}", program.address);
    (folder, program, url)
}

/// Creates a task over the API with the session of the page, which renews its token if need be.
async fn works(browser: &Browser, title: &str) {
    browser.type_into(INPUT, &format!("{title}\u{e007}")).await;
    browser
        .until(&format!("document.body.innerText.includes({title:?})"))
        .await;
}

pub(crate) async fn local() {
    let (_folder, program) = system(&["rate_limit_per_minute=0"]);
    let link = program.link.clone();
    let url = format!("http://{}", program.address);
    assert!(link.starts_with(&format!("{url}/#token=")), "{link}");

    // Without the link there is no way in, but a way to get one.
    let browser = Browser::start().await;
    browser.open(&url).await;
    assert!(browser.element(".sign-card").await.contains("sign-in --open"));
    browser.open(&link).await;
    let user = browser.element(WHOAMI).await;
    assert!(!user.is_empty());
    assert_eq!(
        browser.address().await,
        format!("{url}/"),
        "the token is not in the address"
    );
    browser.reload().await;
    assert_eq!(browser.element(WHOAMI).await, user, "after a reload");
    works(&browser, "Pay rent").await;

    browser.open(&format!("{url}/upcoming?sort=due")).await;
    assert_eq!(browser.element(WHOAMI).await, user, "at another address");
    let first = browser.window().await;
    let second = browser.new_tab().await;
    browser.open(&url).await;
    assert_eq!(browser.element(WHOAMI).await, user, "in another tab");

    // Signing out signs out both.
    browser.click(SIGN_OUT).await;
    browser.element(".sign-card").await;
    browser.switch_to(&first).await;
    browser.element(".sign-card").await;

    // The link works again, and what waits in the other tab goes on.
    browser.open(&link).await;
    browser.element(WHOAMI).await;
    browser.switch_to(&second).await;
    browser.element(WHOAMI).await;
}

pub(crate) async fn invalid_link() {
    let (_folder, program) = system(&["rate_limit_per_minute=0"]);
    let (link, url) = (program.link.clone(), format!("http://{}", program.address));
    let browser = Browser::start().await;
    let (head, signature) = link.rsplit_once('.').expect("a signature");
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());

    browser.open(&forged).await;
    assert!(
        browser
            .element(".sign-card .refusal")
            .await
            .contains("no longer valid")
    );
    browser.open("about:blank").await;
    browser.open(&link).await;
    let user = browser.element(WHOAMI).await;
    for other in [&forged, &format!("{url}/#token=nonsense")] {
        browser.open("about:blank").await;
        browser.open(other).await;
        assert_eq!(browser.element(WHOAMI).await, user);
        assert_eq!(browser.address().await, format!("{url}/"));
    }
}

/// How often the page has asked the provider for tokens.
async fn token_requests(browser: &Browser) -> u64 {
    browser.value(TOKEN_REQUESTS).await.as_u64().expect("a number")
}

const TOKEN_REQUESTS: &str =
    "performance.getEntriesByType('resource').filter((entry) => entry.name.endsWith('/token')).length";

pub(crate) async fn at_provider() {
    // So short that the page renews it all the time.
    let provider = Provider::start(5);
    let (_folder, program, url) = system_of(&provider);
    let browser = Browser::start().await;

    // A link of `nudge up` does not count here: it could sign a user in as someone else.
    browser
        .open(&format!("{url}/upcoming?sort=due#token=a.b.c"))
        .await;
    browser.element(SIGN_IN).await;
    assert!(program.link.is_empty());
    browser.click(SIGN_IN).await;
    assert_eq!(browser.element(WHOAMI).await, "alice");
    assert_eq!(
        browser.address().await,
        format!("{url}/upcoming?sort=due"),
        "the address of before, without code and state"
    );

    // After a reload the provider signs in without a click.
    browser.reload().await;
    assert_eq!(browser.element(WHOAMI).await, "alice");
    assert_eq!(browser.address().await, format!("{url}/upcoming?sort=due"));

    // Nothing is stored that signs in.
    let stored = browser
        .value("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")
        .await;
    let stored = stored.as_str().expect("text");
    assert!(
        !stored.contains("eyJ") && !stored.contains("verifier"),
        "{stored}"
    );

    // A new token ahead of the end of the old one, again and again, and one request for each.
    let before = token_requests(&browser).await;
    browser
        .until(&format!("{TOKEN_REQUESTS} >= {}", before + 2))
        .await;
    works(&browser, "Pay rent").await;
    assert_eq!(browser.element(WHOAMI).await, "alice");

    // Signed out here and there: neither a reload nor the provider signs in without a click.
    let first = browser.window().await;
    browser.new_tab().await;
    browser.open(&url).await;
    assert_eq!(browser.element(WHOAMI).await, "alice", "in another tab");
    browser.click(SIGN_OUT).await;
    browser.element(SIGN_IN).await;
    browser.reload().await;
    browser.element(SIGN_IN).await;
    browser.switch_to(&first).await;
    browser.element(SIGN_IN).await;
}

pub(crate) async fn ended_session() {
    let provider = Provider::start(5);
    let (_folder, _program, url) = system_of(&provider);
    let browser = Browser::start().await;
    browser.open(&url).await;
    browser.click(SIGN_IN).await;
    browser.element(WHOAMI).await;
    browser.type_into(INPUT, "Half a thought").await;

    // The user signs out at the provider, in another tab: the next renewal is refused.
    let first = browser.window().await;
    browser.new_tab().await;
    browser
        .open(&format!("{}/session/end", provider.says.issuer))
        .await;
    browser.until("location.pathname.endsWith('/success')").await;
    browser.switch_to(&first).await;
    assert!(
        browser
            .element(".session-ended")
            .await
            .contains("Nothing that you entered is lost")
    );
    let typed = format!("document.querySelector({INPUT:?}).value");
    assert_eq!(browser.value(&typed).await, "Half a thought");

    // Signing in again happens in another window, and this one goes on.
    let windows = browser.windows().await;
    browser.click(".session-ended button").await;
    browser.until("!document.querySelector('.session-ended')").await;
    assert_eq!(browser.value(&typed).await, "Half a thought");
    assert!(browser.windows().await <= windows + 1);
    works(&browser, " and the rest").await;
}
