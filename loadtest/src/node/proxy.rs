//! A small TCP proxy that cuts and slows what passes.
