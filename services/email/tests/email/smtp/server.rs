//! A tiny SMTP server that replies as its script says.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the server does at one step of the dialogue.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Replies with this.
    Say(&'static str),
    /// Closes the connection.
    HangUp,
    /// Does nothing more.
    Silent,
}

/// What the server does at each step.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    pub greeting: Step,
    pub ehlo: Step,
    pub mail: Step,
    pub rcpt: Step,
    pub data: Step,
    /// After the end of the data.
    pub end: Step,
}

impl Default for Script {
    /// A server that takes every mail.
    fn default() -> Script {
        Script {
            greeting: Step::Say("220 there"),
            ehlo: Step::Say("250 there"),
            mail: Step::Say("250 2.1.0 ok"),
            rcpt: Step::Say("250 2.1.5 ok"),
            data: Step::Say("354 go on"),
            end: Step::Say("250 2.0.0 taken"),
        }
    }
}

#[derive(Default)]
struct Heard {
    commands: Mutex<Vec<String>>,
    text: Mutex<Vec<String>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

/// The server at work; it is gone when this is dropped.
pub struct Server {
    pub url: String,
    heard: Arc<Heard>,
    serving: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Server {
    pub async fn start(script: Script) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let heard = Arc::<Heard>::default();
        let hears = heard.clone();
        let serving = tokio::spawn(async move {
            loop {
                let (caller, _) = listener.accept().await.unwrap();
                let hears = hears.clone();
                tokio::spawn(async move {
                    hears.most.fetch_max(hears.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    // Ends early where the script or the client hangs up.
                    _ = dialogue(BufStream::new(caller), script, &hears).await;
                    hears.now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Server { url, heard, serving }
    }

    /// Every command, and the lines of the data as they were sent.
    pub fn heard(&self) -> (Vec<String>, Vec<String>) {
        (self.heard.commands.lock().unwrap().clone(), self.heard.text.lock().unwrap().clone())
    }

    /// How many connections there were at a time.
    pub fn most_at_once(&self) -> usize {
        self.heard.most.load(Ordering::SeqCst)
    }
}

async fn dialogue(mut caller: BufStream<TcpStream>, script: Script, heard: &Heard) -> Option<()> {
    perform(&mut caller, script.greeting).await?;
    loop {
        let command = line(&mut caller).await?;
        heard.commands.lock().unwrap().push(command.clone());
        let step = match command.split([' ', ':']).next()? {
            "EHLO" => script.ehlo,
            "MAIL" => script.mail,
            "RCPT" => script.rcpt,
            "DATA" => script.data,
            "QUIT" => {
                perform(&mut caller, Step::Say("221 2.0.0 bye")).await;
                return None;
            }
            _ => Step::Say("500 5.5.2 what?"),
        };
        perform(&mut caller, step).await?;
        if command == "DATA" && matches!(step, Step::Say(reply) if reply.starts_with("354")) {
            loop {
                let line = line(&mut caller).await?;
                if line == "." {
                    break;
                }
                heard.text.lock().unwrap().push(line);
            }
            perform(&mut caller, script.end).await?;
        }
    }
}

async fn perform(caller: &mut BufStream<TcpStream>, step: Step) -> Option<()> {
    match step {
        Step::Say(reply) => {
            caller.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
            caller.flush().await.ok()
        }
        Step::HangUp => None,
        Step::Silent => std::future::pending().await,
    }
}

async fn line(caller: &mut BufStream<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = caller.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end_matches("\r\n").to_owned())
}
