"""What customers did, as their software reports it: Segment's and RudderStack's messages become events and profiles."""
