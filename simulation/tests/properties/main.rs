//! Properties against small reference models, and bytes from outside that nobody has ever seen.

mod bytes;
mod stock;
