//! Inputs with which other programs went wrong, as their users reported them; docs/field-reports.md has the reports.

mod bodies;
mod lists;
mod mcp;
mod tasks;
