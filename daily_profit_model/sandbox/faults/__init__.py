"""What can go wrong with a service, put into the sandbox's answers on purpose and by seed.

`plan` names the kinds and their rates; `transport` spoils answers, `paging` the way through the pages,
`spoiled` the rows (with `variations` and `malformed`); `truth` says what a client must make of it all.
"""
