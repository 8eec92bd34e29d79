<?php
/** The demo site's words for seed.php: an imaginary pottery, with every kind of text that a dump can spoil. */

function paragraph( $text ) {
	return "<!-- wp:paragraph -->\n<p>$text</p>\n<!-- /wp:paragraph -->\n\n";
}

function demo_posts() {
	$plain = array(
		array( 'The kiln is lit', 'Cone ten by midnight, if the wind stays away. We opened the damper at six and nobody has sat down since.' ),
		array( 'Emoji on the shelf 🏺🔥🫖', 'Four-byte characters: 🏺 🔥 🫖 👩‍🎨 🇳🇱 — and a family: 👨‍👩‍👧‍👦.' ),
		array( 'Quotes: \'single\', "double" & <em>tags</em>', 'He said: "it\'s fired"; she said: \'it isn\\\'t\'. `Backticks` too.' ),
		array( 'Back\\slashes and C:\\kiln\\log', 'A path C:\\kiln\\new\\table, a regex \\d+\\.\\d+, a literal \\n that is no line break, and \\\\ two of them.' ),
		array( 'Tassen und Schüsseln', 'Größe, Maß und Übermaß: die Schüssel fasst zwölf Löffel Öl.' ),
		array( '茶碗と急須', '土を選び、ろくろを回し、釉薬をかけて、窯で焼く。' ),
		array( 'أكواب من الطين', 'نص من اليمين إلى اليسار مع رقم 1234 وكلمة stoneware في الوسط.' ),
		array( 'Combining e&#769; and é', "Two spellings of one letter: e\u{0301} and \u{00e9}. A zero-width\u{200b}space and a soft\u{00ad}hyphen." ),
		array( 'What a statement looks like', "INSERT INTO `pots` VALUES (1,'O\\'Neill; -- not a comment',NULL); DROP TABLE `pots`; /* nor this */ # nor that" ),
		array( 'Percent signs & placeholders', '100% clay, %s and %d stay as they are, {placeholder} and $variable as well.' ),
		array( 'Glaze recipe no. 7', "Feldspar 42, silica 27, whiting 21, kaolin 10.\nAdd 2&nbsp;% red iron oxide for tenmoku." ),
		array( 'Tabs and line ends', "column\tcolumn\tcolumn\r\nand a second line\r\nand a third" ),
		array( 'Opening day', 'Doors open at ten. There will be tea, and cups to drink it from that you may keep.' ),
	);
	$posts = array_map( fn( $post ) => array( $post[0], paragraph( $post[1] ) . paragraph( filler( 3 ) ) ), $plain );
	$posts[] = array( 'The long one', implode( '', array_map( fn() => paragraph( filler( 12 ) ), range( 1, 120 ) ) ) );
	return $posts;
}

/** Sentences from a small vocabulary: as deterministic as mt_srand(). */
function filler( $sentences ) {
	$who   = array( 'The apprentice', 'Our neighbour', 'A visitor', 'The old wheel', 'Somebody from the ferry' );
	$did   = array( 'dropped', 'praised', 'glazed', 'borrowed', 'measured', 'drew' );
	$what  = array( 'a teapot', 'the tall vase', 'twelve plates', 'the cracked bowl', 'every single tile' );
	$when  = array( 'before breakfast', 'in the rain', 'twice', 'without a word', 'since Tuesday' );
	$pick  = fn( $list ) => $list[ mt_rand( 0, count( $list ) - 1 ) ];
	$lines = array();
	for ( $number = 0; $number < $sentences; $number++ ) {
		$lines[] = "{$pick( $who )} {$pick( $did )} {$pick( $what )} {$pick( $when )}.";
	}
	return implode( ' ', $lines );
}

function demo_pages() {
	return array(
		array( 'About us', paragraph( 'Two wheels, one kiln, and a view of the boats.' ) ),
		array( 'Shop', "<!-- wp:shortcode -->\n[demo_products]\n<!-- /wp:shortcode -->" ),
		array( 'Visit', paragraph( 'Pier 4, behind the rope maker. Open Thursday to Sunday.' ) ),
	);
}

function demo_comments() {
	return array(
		array( 'Ada', 'I have the blue one 💙 and it survived the dishwasher.' ),
		array( 'Björn', 'Kann man die Schale auch in Größe „XL“ bestellen?' ),
		array( "O'Neill", 'It\'s a \\beautiful\\ glaze; "tenmoku", is it?' ),
		array( '美咲', 'とても綺麗です。' ),
		array( 'Zoë', "First line\nsecond line\n\nand after a gap, a third." ),
	);
}

function demo_catalog() {
	return array(
		'cup-01'   => array( 'name' => 'Cup “Harbour”', 'price' => 24.5, 'in_stock' => true, 'tags' => array( 'cup', 'blue' ) ),
		'bowl-02'  => array( 'name' => 'Schüssel', 'price' => 39.0, 'in_stock' => false, 'tags' => array() ),
		'vase-03'  => array( 'name' => "Fisherman's vase", 'price' => 129.95, 'in_stock' => true, 'tags' => array( 'vase', '高い' ) ),
		'tile-04'  => array( 'name' => 'Tile 10\\10', 'price' => 7.25, 'in_stock' => true, 'tags' => array( '🏺' ) ),
	);
}

/** Serialised PHP counts bytes, so that one changed character breaks the whole option. */
function demo_settings() {
	$settings           = new stdClass();
	$settings->currency = '€';
	$settings->nested   = array( 'null' => null, 'float' => 0.1 + 0.2, 'negative' => -7, 'deep' => array( array( array( 'x' => "a\"b'c\\d;e:5" ) ) ) );
	$settings->hours    = array( 4 => '10:00–18:00', 5 => '10:00–20:00' );
	return $settings;
}
