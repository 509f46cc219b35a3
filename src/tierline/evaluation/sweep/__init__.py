"""Many settings of the thresholds at once, in columns, with the same choices as `Router.decide` would make one by one."""
