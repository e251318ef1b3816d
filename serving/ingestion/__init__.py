"""Customers' actions as software reports them: Segment's and RudderStack's messages become events and profiles."""
