//! Opens a URL with a secret in the browser.
//!
//! The program that opens a browser gets a URL as its argument, and every user of the machine can list arguments. So it gets the URL of
//! a server on loopback, which redirects one request to the URL with the secret.

use std::io;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinSet;

/// How long the browser may take to ask.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one request may take.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);

/// Maximum size of the head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// A URL that works once.
pub(crate) struct OneTimeLink {
    listener: TcpListener,
    redirect: Arc<Redirect>,
}

struct Redirect {
    path: String,
    target: String,
    used: AtomicBool,
}

impl OneTimeLink {
    /// Binds the server that redirects to `target`.
    pub(crate) async fn bind(target: &str) -> Result<Self> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).context("the operating system gives no random numbers")?;
        let path = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self {
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .await
                .context("there is no free port on loopback")?,
            redirect: Arc::new(Redirect {
                path,
                target: target.to_owned(),
                used: AtomicBool::new(false),
            }),
        })
    }

    fn url(&self) -> Result<String> {
        let address = self.listener.local_addr().context("the port has no address")?;
        Ok(format!("http://{address}/{}", self.redirect.path))
    }

    /// Opens it in the browser of this machine, and waits until the browser has followed it.
    pub(crate) async fn open(self) -> Result<()> {
        let url = self.url()?;
        let opened = async {
            launch(&url).await?;
            // Opened, but maybe not asked yet: the other branch waits for that.
            std::future::pending().await
        };
        tokio::select! {
            served = tokio::time::timeout(PATIENCE, self.serve()) => served.context("it did not ask for the link within a minute")?,
            failed = opened => failed,
        }
    }

    /// Serves requests until one of them was redirected.
    async fn serve(&self) -> Result<()> {
        // Browsers open connections that they do not use, so none waits for another.
        let mut requests = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted.context("no connection can be accepted")?;
                    let redirect = Arc::clone(&self.redirect);
                    requests.spawn(tokio::time::timeout(REQUEST_PATIENCE, async move { redirect.answer(stream).await }));
                }
                Some(Ok(Ok(Ok(true)))) = requests.join_next() => return Ok(()),
            }
        }
    }
}

impl Redirect {
    /// Answers one request. Whether it was redirected.
    async fn answer(&self, mut stream: TcpStream) -> io::Result<bool> {
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < MAX_HEAD {
            if stream.read_buf(&mut head).await? == 0 {
                return Ok(false);
            }
        }
        let redirected = head.starts_with(format!("GET /{} ", self.path).as_bytes())
            && !self.used.swap(true, Ordering::SeqCst);
        let answer = if redirected {
            let target = &self.target;
            format!(
                "302 Found\r\nLocation: {target}\r\nReferrer-Policy: no-referrer\r\nCache-Control: no-store"
            )
        } else {
            "404 Not Found".to_owned()
        };
        let answer = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        Ok(redirected)
    }
}

/// Runs the program of the operating system that opens a URL. Its output is dropped: browsers log to the terminal.
async fn launch(url: &str) -> Result<()> {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        // The first argument of `start` would be the title of a window.
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let status = Command::new(program)
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await
        .with_context(|| format!("{program} cannot be run"))?;
    ensure!(status.success(), "{program} ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(url: &str) -> String {
        let (address, path) = url
            .strip_prefix("http://")
            .and_then(|url| url.split_once('/'))
            .unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET /{path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn it_redirects_one_request() {
        let link = OneTimeLink::bind("http://127.0.0.1:3000/#token=secret")
            .await
            .unwrap();
        let url = link.url().unwrap();
        assert!(!url.contains("secret"));
        let redirect = Arc::clone(&link.redirect);
        let serving = tokio::spawn(async move { link.serve().await });

        // A connection that is never used, and a guess.
        let address = url.split('/').nth(2).unwrap().to_owned();
        let _unused = TcpStream::connect(&address).await.unwrap();
        let guess = get(&format!("http://{address}/{}", "0".repeat(32))).await;
        assert!(guess.starts_with("HTTP/1.1 404"), "{guess}");

        let answer = get(&url).await;
        assert!(answer.starts_with("HTTP/1.1 302"), "{answer}");
        assert!(
            answer.contains("\r\nLocation: http://127.0.0.1:3000/#token=secret\r\n"),
            "{answer}"
        );
        serving.await.unwrap().unwrap();
        assert!(redirect.used.load(Ordering::SeqCst));
        assert!(
            TcpStream::connect(&address).await.is_err(),
            "the server has ended"
        );
    }
}
