//! What inventory must do: its table pair by pair, and its decisions in full.

mod decisions;
mod low_stock;
mod protocol;
mod samples;
