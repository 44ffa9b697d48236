"""CSV pre-enrolment: parse → validate → plan → write.

`formats` and `columns` read a file row by row, `validation` judges one row by itself, `plan` says
what a row would change, `present` reads what is on file in bulk, `writing` writes plans in bulk and
`runs` tells the story for the administration site and the command. The first four are pure; another
engine may take the place of `present` and `writing`, because plans are all they exchange. `brought`
lets apps above add columns that go the same way.
"""
