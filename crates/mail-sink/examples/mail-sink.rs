//! `mail-sink ADDRESS FOLDER`: the mail server as a program of its own, until Ctrl-C or SIGTERM.
//!
//! It prints the address that it listens on, so that you can use port 0:
//!
//! ```sh
//! cargo run -q -p mail-sink --example mail-sink -- 127.0.0.1:0 mail
//! ```

use std::error::Error;
use std::io::Write as _;

use mail_sink::MailSink;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, folder] = arguments.as_slice() else {
        return Err("usage: mail-sink ADDRESS FOLDER".into());
    };
    let sink = MailSink::start(address.parse()?, folder).await?;
    println!(
        "listening on {}, storing email in {}",
        sink.addr(),
        sink.dir().display()
    );
    // Standard output may be a pipe or a file, which is not flushed by line.
    std::io::stdout().flush()?;
    asked_to_stop().await?;
    sink.shutdown().await;
    Ok(())
}

async fn asked_to_stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupt = tokio::signal::ctrl_c() => interrupt,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
