"""Physics of seeing: small pure functions on arrays, shared by design and proof."""
