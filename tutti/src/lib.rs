//! The one binary `tutti`: the whole shop in one process (`up`), the one address of a shop in several (`edge`), and the
//! operator's command line, which is an HTTP client of a running shop.

pub mod cli;
pub mod client;
pub mod demo;
pub mod edge;
pub mod failure;
pub mod http;
pub mod invariants;
pub mod map;
pub mod saga;
pub mod screen;
pub mod shop;
pub mod table;
pub mod time;
pub mod timeline;

pub use runtime::interrupt;

/// A third of the shop's processor time went into the C library's allocator; this one takes a fraction of it, for
/// SQLite too, whose calls it overrides, and gives back what a burst needed. It does not build for Windows' own compiler.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
