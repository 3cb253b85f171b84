# Left and right become start and end of the line: the same in languages written
# from the left, and the other way round in Arabic.
s/(padding|margin|border)-left([:-])/\1-inline-start\2/g
s/(padding|margin|border)-right([:-])/\1-inline-end\2/g
s/([;{])left:/\1inset-inline-start:/g
s/([;{])right:/\1inset-inline-end:/g
s/(float|clear):left/\1:inline-start/g
s/(float|clear):right/\1:inline-end/g
s/text-align:left/text-align:start/g
s/text-align:right/text-align:end/g
