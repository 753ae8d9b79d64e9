//! Runs the components of a spin.toml on wasmtime.
