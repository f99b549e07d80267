"""What a person should know about a photo; each caller has its own sentence for each notice."""

from typing import Literal

Notice = Literal[
    # from reading the file
    "first_page",  # the file holds several pages or frames
    "other_format",  # the result is saved in another format
    "cmyk",  # CMYK became sRGB
    "profile",  # the color profile can't be used
    "metadata",  # some metadata is damaged and was left out
    "large_metadata",  # some metadata is too large and was left out
    # from looking at the picture
    "colors",  # it already has colors
    "negative",  # it looks like a negative
    "print",  # it shows a print on a table
    # from the pictures whose colors are taken
    "no_color_source",  # none has the photo's name
    "partly_taken",  # the picture shows less than half of the photo
    "unlike_reference",  # hardly anything of the photo looks like the reference
    # from saving it in a format that holds less
    "depth",  # 16 bits per channel become 8
    "captions",  # the format has no place for some captions
    "transparency",  # transparent pixels become white
]
