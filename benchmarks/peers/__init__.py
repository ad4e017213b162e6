"""What others would use in our place, each built by a process of its own: libraries that the
runtime never sees may be imported here."""
