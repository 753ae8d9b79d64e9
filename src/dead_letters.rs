//! `nudge dead-letters`: events that no consumer could handle.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use http::Method;
use nudge_contract::api::{DeadLetter, DeadLetterIds, DeadLetters, DeadLettersDone};
use nudge_contract::names::route;

use crate::cli::{self, Which, WithDeadLetters};
use crate::sidecar::Sidecar;

/// Most of them in one request.
const AT_ONCE: usize = 100;

/// Longest part of an event that is shown, in characters.
const SHOWN: usize = 240;

pub(crate) fn run(options: &cli::Global, letters: &cli::DeadLetters) -> Result<()> {
    let sidecar = Sidecar::find(&letters.sidecar, &options.data_dir)?;
    let runtime = tokio::runtime::Runtime::new().context("the runtime does not start")?;
    runtime.block_on(async {
        match &letters.what {
            None => show(&list(&sidecar).await?),
            Some(WithDeadLetters::Replay(which)) => {
                each(&sidecar, which, route::DEAD_LETTERS_REPLAY, "published once more").await?;
            }
            Some(WithDeadLetters::Discard(which)) => {
                each(&sidecar, which, route::DEAD_LETTERS_DISCARD, "forgotten").await?;
            }
        }
        Ok(())
    })
}

async fn list(sidecar: &Sidecar) -> Result<DeadLetters> {
    sidecar.ask(Method::GET, route::DEAD_LETTERS, None::<&()>).await
}

fn show(letters: &DeadLetters) {
    for letter in &letters.items {
        let DeadLetter {
            id,
            topic,
            consumer,
            reason,
            arrived_at,
            event,
        } = letter;
        println!("{id}");
        println!("  came      {arrived_at}");
        println!("  topic     {}", topic.as_deref().unwrap_or("none that it names"));
        println!(
            "  consumer  {}",
            consumer
                .as_deref()
                .unwrap_or("not said: the sidecar put it aside")
        );
        println!("  reason    {reason}");
        let shown: String = event.chars().take(SHOWN).collect();
        let more = if shown.len() < event.len() { "…" } else { "" };
        println!("  event     {shown}{more}");
    }
    match letters.count {
        0 => println!("There are none: every event was handled."),
        count if count as usize > letters.items.len() => {
            println!("{count} wait, of which the oldest are shown: replay or discard them");
        }
        count => println!("{count} wait: replay or discard them"),
    }
}

/// Does one thing with those that are named, or with all that there were when it began.
async fn each(sidecar: &Sidecar, which: &Which, route: &str, done: &str) -> Result<()> {
    let mut met = BTreeSet::new();
    let (mut count, mut refused) = (0, 0);
    loop {
        let ids: Vec<String> = if which.all {
            let letters = list(sidecar).await?.items.into_iter();
            letters
                .map(|letter| letter.id)
                .filter(|id| !met.contains(id))
                .collect()
        } else {
            which
                .ids
                .iter()
                .filter(|id| !met.contains(*id))
                .take(AT_ONCE)
                .cloned()
                .collect()
        };
        if ids.is_empty() {
            break;
        }
        met.extend(ids.iter().cloned());
        let answer: DeadLettersDone = sidecar
            .ask(Method::POST, route, Some(&DeadLetterIds { ids }))
            .await?;
        for id in &answer.done {
            println!("{id}: {done}");
        }
        for letter in &answer.refused {
            println!("{}: stays: {}", letter.id, letter.reason);
        }
        count += answer.done.len();
        refused += answer.refused.len();
        // What could not be published stays on the first page, and would hide what is behind it.
        if which.all && answer.done.is_empty() {
            break;
        }
    }
    println!("{count} {done}, {refused} not");
    ensure!(refused == 0, "{refused} stay: the reasons are above");
    Ok(())
}
