//! One keep-alive connection that posts and reads answers, and little else: the load generator shares the machine with
//! the shop, so what it costs is taken from the shop.

use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// More than any answer to an order.
const ANSWER: usize = 16 * 1024;

/// A connection to the shop.
pub struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
}

fn broken(error: std::io::Error) -> String {
    format!("the connection broke: {error}")
}

impl Line {
    /// Connects.
    pub async fn to(shop: SocketAddr) -> Result<Line, String> {
        let stream = TcpStream::connect(shop).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        Ok(Line { stream, answer: Vec::with_capacity(ANSWER) })
    }

    /// Posts JSON under an Idempotency-Key, and waits for a 202.
    pub async fn post(&mut self, path: &str, key: &str, json: &str) -> Result<(), String> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\nidempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{json}",
            json.len()
        );
        self.stream.write_all(request.as_bytes()).await.map_err(broken)?;
        self.answer.clear();
        while !is_whole(&self.answer) {
            if self.answer.len() > ANSWER || self.stream.read_buf(&mut self.answer).await.map_err(broken)? == 0 {
                return Err("the shop hung up".into());
            }
        }
        let accepted = self.answer.starts_with(b"HTTP/1.1 202");
        if accepted { Ok(()) } else { Err(format!("an order was answered: {}", String::from_utf8_lossy(&self.answer))) }
    }
}

/// Whether the head and as many bytes of the body as it tells have arrived.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    length.is_none_or(|length: usize| body.len() >= length)
}
